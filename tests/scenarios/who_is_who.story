# Rows of three systems make two persons; an operator is told why, and parts what does not belong together (A3.1, A3.6)

t1  marketing  phone:13800138031 member_id:m-31          seen id=crm-row
t2  wecom      external_userid:w-31 phone:13800138031    seen id=im-row
t3  web        anonymous_id:c-31 phone:13800138031       seen id=web-row
t4  web        anonymous_id:c-32                         seen

known    member_id:m-31 phone:+8613800138031 wecom_external_userid:w-31 anonymous_id:c-31
known    anonymous_id:c-32
because  anonymous_id:c-31 web-row phone:+8613800138031 crm-row member_id:m-31

t5  unlink  phone:13800138031 member_id:m-31     # the card was somebody else's

known    phone:+8613800138031 wecom_external_userid:w-31 anonymous_id:c-31
known    member_id:m-31
apart    phone:+8613800138031 member_id:m-31 anonymous_id:c-32
journey  member_id:m-31
    t1  marketing  seen
journey  anonymous_id:c-31
    t2  wecom      seen
    t3  web        seen
