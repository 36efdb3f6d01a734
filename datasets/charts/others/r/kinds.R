# A function a kind of chart, for draw.R: what people draw with R's base graphics, its defaults changed a little.

area <- function() {
  if (coin(0.2)) {
    curve <- density(pick_one(faithful$eruptions, iris$Petal.Length, rivers, precip))
    plot(curve, main = heading(quantity()))
    return(polygon(curve, col = pick(c("grey", "lightblue", "steelblue", "tomato", "wheat"))))
  }
  n <- between(12, 80)
  series <- between(1, 4)
  label <- quantity()
  x <- seq_len(n) + pick(c(0, 1970))
  y <- abs(courses(n, series)) * 50 + 20
  stacked <- series > 1 && coin()
  if (stacked) y <- t(apply(y, 1, cumsum))
  fill <- if (stacked) colours(series) else adjustcolor(colours(series), if (series > 1) 0.5 else 1)
  border <- if (coin()) NA else "black"
  plot(range(x), c(0, max(y) * 1.1), type = "n", xlab = abscissa(), ylab = label, main = heading(label))
  if (coin(0.3)) grid()
  for (i in rev(seq_len(series))) polygon(c(x[1], x, x[n]), c(0, y[, i], 0), col = fill[i], border = border)
  if (series > 1) legend(pick(c("topleft", "topright")), series_names(series), fill = fill)
}

# Room for names too long to stand under their bars.
widen_margin <- function(labels, horizontal) {
  long <- max(nchar(labels)) > 6
  if (long) par(mar = if (horizontal) c(5, 9, 4, 2) else c(8, 4, 4, 2))
  if (horizontal) 1 else if (long) 2 else 0
}

bars <- function(horizontal) {
  n <- between(3, 9)
  label <- quantity()
  values <- setNames(amounts(n), categories(n))
  if (coin(0.35)) {
    values <- pick_one(table(mtcars$carb), table(chickwts$feed), tapply(airquality$Temp, airquality$Month, mean),
                       islands[order(-islands)][1:8], VADeaths[, between(1, 4)])
  }
  if (coin(0.25)) values <- sort(values)
  barplot(values, horiz = horizontal, las = widen_margin(names(values), horizontal), main = heading(label),
          col = if (coin(0.7)) colour() else colours(length(values)), border = if (coin(0.2)) NA else "black",
          space = pick(c(0.2, 0.2, 0.5)), xlab = if (horizontal) label else "", ylab = if (horizontal) "" else label)
  if (coin(0.3)) box()
}

several_bars <- function(beside) {
  label <- quantity()
  values <- if (coin(0.6)) amount_table(between(2, 4), between(3, 6)) else {
    pick_one(VADeaths, t(VADeaths), table(mtcars$cyl, mtcars$gear), apply(Titanic, c(4, 1), sum), WorldPhones[1:5, 1:5],
             apply(HairEyeColor, c(1, 2), sum))
  }
  if (!beside && coin(0.3)) values <- prop.table(values, 2)
  horizontal <- coin(0.2)
  limits <- c(0, (if (beside) max(values) else max(colSums(values))) * 1.3)
  barplot(values, beside = beside, horiz = horizontal, las = widen_margin(colnames(values), horizontal),
          main = heading(label), col = if (coin(0.25)) NULL else colours(nrow(values)),
          xlim = if (horizontal) limits, ylim = if (!horizontal) limits, ylab = if (horizontal) "" else label,
          legend.text = if (coin(0.75)) rownames(values), args.legend = list(bty = pick(c("o", "n"))))
}

boxes <- function() {
  data <- groups()
  lying <- coin(0.25)
  fill <- if (coin(0.4)) "lightgray" else if (coin()) colour() else colours(between(3, 6))
  if (lying) par(mar = c(5, 7, 4, 2))
  boxplot(data[[1]], data[[2]], horizontal = lying, notch = coin(0.15), varwidth = coin(0.2), col = fill,
          main = heading(quantity()), las = if (lying) 1 else 0, ylab = if (!lying) quantity() else "",
          xlab = if (lying) quantity() else "")
}

contours <- function() {
  z <- surface(between(25, 60))
  title <- heading(quantity())
  levels <- between(6, 16)
  if (coin(0.4)) {
    palette <- pick_one(terrain.colors, heat.colors, topo.colors, function(n) hcl.colors(n, "YlOrRd", rev = TRUE))
    return(filled.contour(z, nlevels = levels, color.palette = palette, main = title, xlab = "x", ylab = "y"))
  }
  contour(z, nlevels = levels, drawlabels = coin(0.8), main = title, lwd = pick(c(1, 1, 2)),
          col = if (coin(0.6)) "black" else colours(levels))
}

labelled_cells <- function(z, title) {
  par(mar = c(7, 8, 4, 2))
  image(seq_len(nrow(z)), seq_len(ncol(z)), z, col = ramp(20), axes = FALSE, xlab = "", ylab = "", main = title)
  axis(1, seq_len(nrow(z)), rownames(z), las = 2)
  axis(2, seq_len(ncol(z)), colnames(z), las = 1)
  if (coin()) text(row(z), col(z), round(z, 1), cex = 0.8)
  if (coin()) box()
}

heatmaps <- function() {
  title <- heading(quantity())
  switch(pick(c("clustered", "raster", "table", "correlation")),
    clustered = {
      values <- as.matrix(pick_one(mtcars, scale(attitude), USArrests[1:20, ], swiss[1:25, ]))
      heatmap(values, Rowv = if (coin()) NULL else NA, Colv = NA, scale = "column", main = title, col = ramp(24),
              margins = c(8, 8))
    },
    raster = image(surface(between(20, 80)), col = ramp(between(12, 60)), main = title, axes = coin(0.7)),
    table = labelled_cells(amount_table(between(4, 8), between(4, 6)), title),
    correlation = labelled_cells(cor(pick_one(mtcars, attitude, swiss, longley)), title))
}

histogram <- function() {
  x <- switch(between(1, 5), rnorm(between(50, 2000), 20, 5), rexp(between(50, 800)), faithful$waiting, precip,
              c(rnorm(200), rnorm(between(50, 200), 4)))
  label <- quantity()
  counted <- coin(0.65)
  hist(x, breaks = pick_one("Sturges", 20, 40, "FD"), freq = counted, xlab = label,
       col = if (coin(0.4)) "lightgray" else colour(), border = if (coin(0.2)) "white" else "black",
       main = if (coin(0.4)) paste("Histogram of", tolower(bare(label))) else heading(label))
  if (!counted && coin(0.7)) lines(density(x), lwd = 2, col = pick(c("red", "blue", "black")))
  if (coin(0.2)) abline(v = mean(x), lty = 2)
}

lines_chart <- function() {
  label <- quantity()
  if (coin(0.25)) {
    known <- pick_one(AirPassengers, LakeHuron, Nile, lynx, co2, nhtemp, EuStockMarkets[, "DAX"])
    return(plot(known, ylab = label, main = heading(label)))
  }
  n <- between(6, 60)
  series <- between(1, 5)
  y <- courses(n, series) * 40 + 60
  strokes <- if (coin(0.3)) rep(1, series) else seq_len(series) + (series == 1) * pick(c(0, 1, 3))
  dashes <- if (coin()) rep(1, series) else seq_len(series)
  matplot(pick(c(1, 5)) * seq_len(n), y, type = pick(if (n < 25) c("l", "b", "o") else c("l", "l", "s")),
          pch = between(1, 19), lty = dashes, col = strokes, lwd = pick(c(1, 1, 2)), ylim = range(y) * c(0.9, 1.1),
          xlab = abscissa(), ylab = label, main = heading(label), log = if (coin(0.15)) "y" else "")
  if (coin(0.3)) grid()
  if (coin(0.15)) abline(h = mean(y), lty = 3)
  if (series > 1) {
    legend(pick(c("topleft", "topright", "bottomright")), series_names(series), col = strokes, lty = dashes,
           bty = pick(c("o", "n")))
  }
}

pies <- function() {
  n <- between(3, 8)
  values <- amounts(n)
  names <- categories(n)
  shares <- paste0(round(100 * values / sum(values)), "%")
  listed <- coin(0.25)
  fill <- if (coin(0.3)) c("white", "lightblue", "mistyrose", "lightcyan", "lavender", "cornsilk") else colours(n)
  pie(values, labels = if (listed) shares else if (coin()) paste0(names, " (", shares, ")") else names, col = fill,
      clockwise = coin(0.3), main = heading(quantity()), radius = pick(c(0.8, 0.8, 0.95)),
      border = if (coin(0.2)) "white" else "black", init.angle = pick(c(0, 90)), density = if (coin(0.1)) 15)
  if (coin(0.15)) symbols(0, 0, circles = 0.4, inches = FALSE, add = TRUE, bg = "white")
  if (listed) legend("topright", names, fill = rep_len(fill, n), cex = 0.8)
}

# Rings and spokes, which R's base graphics lack; the angles of the spokes.
polar_grid <- function(top, spokes) {
  plot.new()
  plot.window(c(-top, top) * 1.15, c(-top, top) * 1.15, asp = 1)
  title(heading(quantity()))
  rings <- seq(top / 4, top, length.out = 4)
  symbols(0 * rings, 0 * rings, circles = rings, inches = FALSE, add = TRUE, fg = pick(c("grey", "grey60", "black")))
  angles <- head(seq(0, 2 * pi, length.out = length(spokes) + 1), -1)
  segments(0, 0, top * cos(angles), top * sin(angles), col = "grey")
  text(1.12 * top * cos(angles), 1.12 * top * sin(angles), spokes, cex = 0.9)
  if (coin(0.7)) text(rings, 0, rings, cex = 0.7, pos = 3)
  angles
}

radar <- function(names, stroke) {
  angles <- polar_grid(10, names)
  for (i in seq_len(between(1, 3))) {
    r <- runif(length(angles), 2, 10)
    fill <- if (coin()) adjustcolor(stroke[i], 0.3) else NA
    polygon(r * cos(angles), r * sin(angles), border = stroke[i], lwd = 2, col = fill)
  }
}

rose <- function(names, fill) {
  for (angle in polar_grid(10, names)) {
    turn <- angle + seq(-1, 1, length.out = 20) * 0.9 * pi / length(names)
    r <- runif(1, 2, 10)
    polygon(c(0, r * cos(turn)), c(0, r * sin(turn)), col = fill)
  }
}

polar_curves <- function(stroke) {
  polar_grid(1, paste0(seq(0, 330, 30), "\u00b0"))
  t <- seq(0, 2 * pi, length.out = 400)
  for (i in seq_len(between(1, 2))) {
    r <- switch(between(1, 3), abs(cos(between(1, 4) * t)), t / (2 * pi), (1 + cos(t)) / 2)
    lines(r * cos(t), r * sin(t), col = stroke[i], lwd = 2)
  }
}

polar_points <- function(stroke) {
  polar_grid(1, paste0(seq(0, 330, 30), "\u00b0"))
  n <- between(30, 150)
  t <- rnorm(n, runif(1, 0, 6), 1)
  r <- rbeta(n, 4, 3)
  points(r * cos(t), r * sin(t), col = stroke[1], pch = between(1, 19))
}

polar <- function() {
  stroke <- pick(c("blue", "red", "black", "darkgreen", "purple"), 3)
  names <- if (coin()) c("E", "NE", "N", "NW", "W", "SW", "S", "SE") else categories(between(5, 6))
  switch(between(1, 5), radar(names, stroke), rose(names, stroke[1]), polar_curves(stroke), polar_points(stroke),
         stars(mtcars[pick(1:32, between(3, 6)), 1:7], locations = c(0, 0), radius = FALSE, key.loc = c(0, 0),
               main = heading(quantity()), col.lines = 1:6))
}

scatter <- function() {
  label <- quantity()
  xy <- if (coin(0.6)) cloud(between(20, 300)) else {
    pick_one(cars, faithful, mtcars[, c("wt", "mpg")], iris[, 3:4], trees[, c(1, 3)], swiss[, 1:2], quakes[, 2:1])
  }
  if (coin(0.15)) {
    return(symbols(xy[, 1], xy[, 2], circles = sqrt(runif(nrow(xy))), inches = 0.2, main = heading(label),
                   bg = adjustcolor(pick(2:6), 0.5), xlab = abscissa(), ylab = label))
  }
  kinds <- if (coin(0.4)) between(2, 4) else 1
  order <- rank(xy[, 1] + rnorm(nrow(xy), 0, sd(xy[, 1])))
  group <- ceiling(order / nrow(xy) * kinds)
  stroke <- if (kinds == 1) pick(1:6) else seq_len(kinds)
  mark <- if (coin(0.3)) seq_len(kinds) else rep(pick(c(1, 1, 1, 2, 4, 16, 19, 20, 21)), kinds)
  plot(xy, pch = mark[group], col = stroke[group], main = heading(label), xlab = abscissa(), ylab = label)
  if (coin(0.3)) abline(lm(xy[, 2] ~ xy[, 1]), col = pick(c("red", "blue", "black")), lwd = pick(1:2))
  if (coin(0.2)) grid()
  if (kinds > 1) legend(pick(c("topleft", "bottomright")), series_names(kinds), col = stroke, pch = mark)
}

violins <- function() {
  data <- groups()
  parts <- lapply(split(data[[2]][[all.vars(data[[1]])[1]]], data[[2]][[all.vars(data[[1]])[2]]]), na.omit)
  curves <- lapply(parts, density)
  n <- length(parts)
  fill <- if (coin()) rep(colour(), n) else colours(n)
  half <- coin(0.15)
  plot(c(0.4, n + 0.6), range(sapply(curves, `[[`, "x")), type = "n", xaxt = "n", xlab = "", ylab = quantity(),
       main = heading(quantity()))
  axis(1, seq_len(n), names(parts))
  for (i in seq_len(n)) {
    width <- 0.4 * curves[[i]]$y / max(curves[[i]]$y)
    polygon(i + c(width, if (half) 0 * width else -rev(width)), c(curves[[i]]$x, rev(curves[[i]]$x)), col = fill[i])
  }
  if (coin(0.6)) boxplot(parts, add = TRUE, boxwex = 0.12, col = "white", axes = FALSE, outline = FALSE)
  else points(seq_len(n), sapply(parts, median), pch = 19)
}

KINDS <- list(area = area, bar = function() bars(horizontal = FALSE), box = boxes, contour = contours,
              grouped_bar = function() several_bars(beside = TRUE), heatmap = heatmaps, histogram = histogram,
              horizontal_bar = function() bars(horizontal = TRUE), line = lines_chart, pie = pies, polar = polar,
              scatter = scatter, stacked_bar = function() several_bars(beside = FALSE), violin = violins)
