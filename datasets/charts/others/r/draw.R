#!/usr/bin/env Rscript
# Rscript draw.R OUT COUNT SEED
# draws charts with R's base graphics, OUT/KIND/r-000.png and so on; a chart depends on the seed, its kind and number.

here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
source(file.path(here, "data.R"))
source(file.path(here, "kinds.R"))
words <- read_words(file.path(here, "..", "words.txt"))

# Width and height in pixels, and pixels an inch.
SIZES <- list(c(480, 480, 72), c(600, 400, 72), c(640, 480, 72), c(800, 600, 96), c(800, 500, 96), c(960, 720, 120),
              c(1000, 600, 120))

draw <- function(kind, path) {
  size <- pick(SIZES)[[1]]
  png(path, size[1], size[2], res = size[3], type = "cairo")
  on.exit(dev.off())
  if (coin(0.2)) par(family = "serif")
  if (coin(0.15)) par(bty = pick(c("l", "n")))
  KINDS[[kind]]()
}

arguments <- commandArgs(TRUE)
if (length(arguments) != 3) stop("usage: Rscript draw.R OUT COUNT SEED", call. = FALSE)
for (kind in names(KINDS)) {
  dir.create(file.path(arguments[1], kind), FALSE, TRUE)
  for (index in seq_len(as.integer(arguments[2])) - 1) {
    set.seed(as.integer(arguments[3]) * 100000 + match(kind, names(KINDS)) * 1000 + index)
    draw(kind, file.path(arguments[1], kind, sprintf("r-%03d.png", index)))
  }
}
