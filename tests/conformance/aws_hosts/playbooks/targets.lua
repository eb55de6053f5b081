return { here = { kind = "local", default = true } }
