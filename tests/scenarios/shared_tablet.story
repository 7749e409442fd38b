# Two people use one tablet, each under an IM id of which a person has one: they stay two, and the refused link is listed (A3.5)

t1  wechat  unionid:u-35 anonymous_id:tablet-35   login
known  wechat_unionid:u-35 anonymous_id:tablet-35

t2  wechat  unionid:u-36 anonymous_id:tablet-35   login
apart    wechat_unionid:u-35 wechat_unionid:u-36
refused  wechat_unionid:u-36 anonymous_id:tablet-35
journey  wechat_unionid:u-35
    t1  wechat  login
journey  wechat_unionid:u-36
    t2  wechat  login
