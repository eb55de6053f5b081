return { here = { kind = "local", region = "eu-central-1", default = true } }
