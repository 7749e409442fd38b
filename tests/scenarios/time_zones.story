# Systems write times in zones of their own; what happened first stands first (A4.5)

t0  marketing  user_id:z-45  order_paid   at=2024-03-01T02:00:00.500Z
t0  web        user_id:z-45  page_viewed  at=2024-03-01T10:00:00+08:00  id=web

journey user_id:z-45
    2024-03-01T10:00:00.000+08:00  web        page_viewed
    2024-03-01T10:00:00.500+08:00  marketing  order_paid
