-- want: error
-- A module outside of the project.
escaped(require("..secret"))
