#include "augment.h"

#include <string.h>

#include "../clones.h"

/* Pillow is compiled for processors without fused products, whose single rounding would show in the last bit. */
#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline))

INLINE ptrdiff_t clamped(ptrdiff_t value, ptrdiff_t end) { return value < 0 ? 0 : value < end ? value : end - 1; }

void vit_histogram(const uint8_t *input, size_t pixel_count, int channels, uint32_t *counts) {
    memset(counts, 0, (size_t)channels * 256 * sizeof(uint32_t));
    for (size_t i = 0; i < pixel_count; i++)
        for (int channel = 0; channel < channels; channel++) counts[channel * 256 + *input++]++;
}

void vit_map_samples(
    const uint8_t *input, size_t pixel_count, int channels, const uint8_t *table, uint8_t *output) {
    for (size_t i = 0; i < pixel_count; i++)
        for (int channel = 0; channel < channels; channel++) *output++ = table[channel * 256 + *input++];
}

INLINE uint8_t blended(uint8_t from, uint8_t to, float factor) {
    const float value = (float)from + factor * (float)(to - from);
    return value <= 0.f ? 0 : value >= 255.f ? 255 : (uint8_t)value;
}

CLONED void vit_blend(
    const uint8_t *restrict from, int from_is_grey, const uint8_t *restrict to, size_t pixel_count, int channels,
    float factor, uint8_t *restrict output) {
    if (!from_is_grey || channels == 1) {
        for (size_t i = 0; i < pixel_count * (size_t)channels; i++) output[i] = blended(from[i], to[i], factor);
    } else {
        for (size_t i = 0; i < pixel_count; i++)
            for (int channel = 0; channel < channels; channel++, to++) *output++ = blended(from[i], *to, factor);
    }
}

/* The sum of thirteenths is never halfway between two integers, so that integers round as Pillow's floats do. */
CLONED void vit_smooth(
    const uint8_t *restrict input, size_t width, size_t height, int channels, uint8_t *restrict output) {
    const size_t pixel = (size_t)channels, row = width * pixel;
    memcpy(output, input, height * row);
    if (width < 3 || height < 3) return;
    for (size_t y = 1; y + 1 < height; y++) {
        const uint8_t *middle = input + y * row, *above = middle - row, *below = middle + row;
        uint8_t *line = output + y * row;
        for (size_t i = pixel; i < row - pixel; i++) {
            const unsigned sum = above[i - pixel] + above[i] + above[i + pixel] + middle[i - pixel] + 5u * middle[i] +
                middle[i + pixel] + below[i - pixel] + below[i] + below[i + pixel];
            line[i] = (uint8_t)((2 * sum + 13) / 26);
        }
    }
}

INLINE double cubic(double v1, double v2, double v3, double v4, double d) {
    const double p2 = -v1 + v3;
    const double p3 = 2 * (v1 - v2) + v3 - v4;
    const double p4 = -v1 + v2 - v3 + v4;
    return v2 + d * (p2 + d * (p3 + d * p4));
}

/* Where a pixel is taken from: the four rows and columns around it, those beyond the edge being the edge's. */
typedef struct {
    const uint8_t *rows[4];
    size_t columns[4];
    double dx, dy;
} place;

/* A whole step needs no neighbours, whose weight is zero. */
INLINE double cubic_row(const uint8_t *row, const place *at) {
    if (at->dx == 0) return row[at->columns[1]];
    return cubic(row[at->columns[0]], row[at->columns[1]], row[at->columns[2]], row[at->columns[3]], at->dx);
}

INLINE uint8_t cubic_sample(const place *at, int channel) {
    const double v2 = cubic_row(at->rows[1] + channel, at);
    const double value = at->dy == 0
        ? v2
        : cubic(cubic_row(at->rows[0] + channel, at), v2, cubic_row(at->rows[2] + channel, at),
                cubic_row(at->rows[3] + channel, at), at->dy);
    return value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)value;
}

INLINE double linear_row(const uint8_t *row, const place *at) {
    const double left = row[at->columns[1]], right = row[at->columns[2]];
    return left + (right - left) * at->dx;
}

INLINE uint8_t linear_sample(const place *at, int channel) {
    const double upper = linear_row(at->rows[1] + channel, at);
    if (at->dy == 0) return (uint8_t)upper;
    return (uint8_t)(upper + (linear_row(at->rows[2] + channel, at) - upper) * at->dy);
}

INLINE void affine(
    const uint8_t *input, size_t width, size_t height, const int channels, const double *m, const int is_cubic,
    const uint8_t *fill, uint8_t *output) {
    const size_t pixel = (size_t)channels;
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++, output += pixel) {
            double column = m[0] * ((double)x + 0.5) + m[1] * ((double)y + 0.5) + m[2];
            double row = m[3] * ((double)x + 0.5) + m[4] * ((double)y + 0.5) + m[5];
            if (!(column >= 0 && column < (double)width && row >= 0 && row < (double)height)) {
                memcpy(output, fill, pixel);
                continue;
            }
            column -= 0.5;
            row -= 0.5;
            /* Both are -1/2 or more: the floor, without a call. */
            const ptrdiff_t left = column < 0 ? -1 : (ptrdiff_t)column, top = row < 0 ? -1 : (ptrdiff_t)row;
            place at = {.dx = column - (double)left, .dy = row - (double)top};
            for (ptrdiff_t i = 0; i < 4; i++) {
                at.columns[i] = (size_t)clamped(left - 1 + i, (ptrdiff_t)width) * pixel;
                at.rows[i] = input + (size_t)clamped(top - 1 + i, (ptrdiff_t)height) * width * pixel;
            }
            for (int channel = 0; channel < channels; channel++)
                output[channel] = is_cubic ? cubic_sample(&at, channel) : linear_sample(&at, channel);
        }
    }
}

void vit_affine(
    const uint8_t *input, size_t width, size_t height, int channels, const double *matrix, int is_cubic,
    const uint8_t *fill, uint8_t *output) {
    if (channels == 3 && is_cubic) {
        affine(input, width, height, 3, matrix, 1, fill, output);
    } else if (channels == 3) {
        affine(input, width, height, 3, matrix, 0, fill, output);
    } else {
        affine(input, width, height, channels, matrix, is_cubic, fill, output);
    }
}
