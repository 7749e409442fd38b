# Nobody has this number; this one is known without having done anything (A4.6)

t0  link  user_id:quiet-46 phone:13800138046     # an operator knows that the number is his

unknown  phone:+8613900139046
known    user_id:quiet-46 phone:+8613800138046
journey  phone:+8613800138046
