-- want: S402
-- Waits inside sort.
table.sort({ 2, 1 }, function() wait(1) end)
