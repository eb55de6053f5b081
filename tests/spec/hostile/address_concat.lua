-- want: error
-- Concatenates a table, for the message.
return "x" .. {}
