# One buyer of a car in five systems; the salesperson asks from the chat, by its identifier alone (S0.26, A4.1)

t0       web           anonymous_id:cookie-17                             page_viewed /cars/model-s   # Monday: looks at the car
t3600    mini_program  openid:o-17 phone:"138 0013 8017" anonymous_id:cookie-17   test_drive_booked   # leaves a phone number
t90000   wecom         external_userid:wm-17 phone:13800138017            contact_added               # Tuesday: adds the salesperson
t180000  store         phone:+8613800138017                               store_visited               # Wednesday: comes in
t266400  marketing     order_user_id:customer-17 phone:13800138017        order_paid                  # Thursday: buys

journey wecom_external_userid:wm-17
    t0       web           page_viewed
    t3600    mini_program  test_drive_booked
    t90000   wecom         contact_added
    t180000  store         store_visited
    t266400  marketing     order_paid
known wecom_external_userid:wm-17 anonymous_id:cookie-17 wechat_openid:o-17 phone:+8613800138017 order_user_id:customer-17
