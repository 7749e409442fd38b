# Two persons turn out to be one: the elder's uid stays, every event is there once, and the other uid still leads to it (A3.3)

t1  web        user_id:x-33                       page_viewed      # e1
t2  app        user_id:x-33                       page_viewed      # e2
known  user_id:x-33

t3  store      phone:13800138033                  store_visited    # e3
t4  hotline    phone:13800138033                  call_answered    # e4
known  phone:+8613800138033
apart  user_id:x-33 phone:+8613800138033

t5  app        user_id:x-33 phone:13800138033     login            # e5 carries an identifier of each
elder    user_id:x-33 phone:+8613800138033
former   phone:+8613800138033 user_id:x-33
journey  phone:+8613800138033
    t1  web      page_viewed
    t2  app      page_viewed
    t3  store    store_visited
    t4  hotline  call_answered
    t5  app      login
