-- want: error
-- An absolute path.
escaped(require("/etc/passwd"))
