# Random words, colours and data for draw.R; half of the data are those that R brings.

coin <- function(chance = 0.5) runif(1) < chance
pick <- function(values, n = 1) values[sample.int(length(values), n)]
pick_one <- function(...) list(...)[[sample.int(...length(), 1)]]
between <- function(low, high) low + sample.int(high - low + 1, 1) - 1

read_words <- function(path) {
  parts <- strsplit(readLines(path), ": ", fixed = TRUE)
  setNames(lapply(parts, function(part) strsplit(part[2], "; ", fixed = TRUE)[[1]]), sapply(parts, `[`, 1))
}

quantity <- function() pick(words$quantities)
abscissa <- function() pick(words$abscissae)
bare <- function(label) sub(" \\(.*", "", label)
heading <- function(label) {
  if (coin(0.2)) "" else paste(bare(label), pick(c("of", "in", "at", "for")), pick(words$subjects))
}
series_names <- function(n) pick(words$series, n)
categories <- function(n) {
  lists <- words[names(words) == "categories"]
  head(pick(lists[lengths(lists) >= n])[[1]], n)
}

# As people choose colours: a palette function, a set, numbers of the palette, names, or greys.
colours <- function(n) {
  named <- c("steelblue", "tomato", "gold", "forestgreen", "orchid", "navy", "grey70", "salmon", "brown", "cyan")
  switch(between(1, 7), rainbow(n), heat.colors(n), gray.colors(n), hcl.colors(n, "viridis"),
         hcl.colors(n, "Set 2"), 1 + seq_len(n), rep_len(pick(named, length(named)), n))
}
colour <- function() {
  pick(c("grey", "lightblue", "steelblue", "tomato", "darkgreen", "orange", "white", "lightgray", "2", "4"))
}
ramp <- function(n) {
  switch(between(1, 5), hcl.colors(n, "YlOrRd", rev = TRUE), heat.colors(n), terrain.colors(n), topo.colors(n),
         gray(seq(0, 1, length.out = n)))
}

amounts <- function(n) signif(10^runif(1, 0, 4) * exp(rnorm(n, 0, runif(1, 0.15, 0.7))), 3)

amount_table <- function(series, groups) {
  values <- matrix(runif(series * groups, 10, 100) * 10^between(-1, 2), series)
  dimnames(values) <- list(series_names(series), categories(groups))
  round(values, 1)
}

course <- function(n) {
  t <- seq(0, 1, length.out = n)
  shape <- switch(between(1, 5), cumsum(rnorm(n, 0.02, 0.15)), sin(2 * pi * t * runif(1, 0.5, 4)),
                  exp(-t * runif(1, 1, 5)), 1 / (1 + exp(-runif(1, 5, 15) * (t - 0.5))), t * runif(1, -1, 2))
  shape + rnorm(n, 0, runif(1, 0, 0.08))
}

# Several courses as columns, each with its largest size at 1.
courses <- function(n, series) {
  y <- sapply(seq_len(series), function(i) course(n))
  sweep(y, 2, apply(abs(y), 2, max), "/")
}

groups <- function() {
  if (coin()) {
    return(pick_one(list(count ~ spray, InsectSprays), list(weight ~ feed, chickwts), list(len ~ dose, ToothGrowth),
                    list(Sepal.Length ~ Species, iris), list(mpg ~ cyl, mtcars), list(weight ~ group, PlantGrowth),
                    list(Ozone ~ Month, airquality), list(breaks ~ tension, warpbreaks)))
  }
  labels <- categories(between(2, 6))
  group <- rep(factor(labels, labels), each = between(20, 120))
  value <- rnorm(length(labels), 50, 12)[group] + runif(length(labels), 3, 12)[group] * rnorm(length(group))
  list(value ~ group, data.frame(value, group))
}

cloud <- function(n) {
  x <- if (coin()) rnorm(n, runif(1, 0, 50), runif(1, 1, 15)) else runif(n, 0, 100)
  cbind(x, runif(1, -3, 3) * x + rnorm(n, 0, sd(x) * runif(1, 0.2, 3)))
}

surface <- function(n) {
  if (coin(0.25)) return(volcano)
  x <- seq(-3, 3, length.out = n)
  bump <- function() {
    centre <- runif(2, -2, 2)
    width <- runif(1, 0.5, 3)
    rnorm(1) * outer(x, x, function(a, b) exp(-((a - centre[1])^2 + (b - centre[2])^2) / width))
  }
  switch(between(1, 3), Reduce(`+`, replicate(between(2, 6), bump(), simplify = FALSE)),
         outer(x, x, function(a, b) sin(a * runif(1, 0.5, 2)) * cos(b * 1.3)),
         outer(x, x, function(a, b) a^2 - b^2 + a * b))
}
