# One number written in three ways on three channels is one phone (A5.1)

t1  wechat       phone:"138 0013 8051"         message_sent
t2  online_hall  phone:+8613800138051          bill_viewed
t3  hotline      phone:0086-138-0013-8051      call_answered

known  phone:+8613800138051
seen   phone:+8613800138051  wechat online_hall hotline
