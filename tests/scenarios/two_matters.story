# A customer settles one matter by WeChat and one with the online service: one view has both (A5.5)

t60    wechat          openid:o-55 phone:13800138055   bill_paid
t7200  online_service  phone:"138 0013 8055"           complaint_settled

journey  wechat_openid:o-55
    t60    wechat          bill_paid
    t7200  online_service  complaint_settled
