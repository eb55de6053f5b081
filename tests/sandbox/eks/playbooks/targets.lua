return { prod = { kind = "eks", account = "123456789012", region = "eu-west-1", cluster = "dos-games", default = true } }
