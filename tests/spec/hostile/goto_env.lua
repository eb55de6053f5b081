-- want: fine
-- A loop of goto around a shadowed _ENV.
local n = 0
::again::
do local _ENV = { n = n } n = n + 1 end
n = n + 1
if n < 1000 then goto again end
