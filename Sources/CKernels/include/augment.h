#ifndef VIT_AUGMENT_H
#define VIT_AUGMENT_H

/* What data augmentation does to interleaved 8-bit pixels, with the rounding of Pillow. */

#include <stddef.h>
#include <stdint.h>

/* counts[c * 256 + v] = how many samples of channel c have the value v. */
void vit_histogram(const uint8_t *input, size_t pixel_count, int channels, uint32_t *counts);

/* Each sample of channel c becomes table[c * 256 + sample]. */
void vit_map_samples(
    const uint8_t *input, size_t pixel_count, int channels, const uint8_t *table, uint8_t *output);

/* from + factor * (to - from), cut off at 0 and 255 and truncated. Where `from_is_grey`, it has one sample a pixel. */
void vit_blend(
    const uint8_t *from, int from_is_grey, const uint8_t *to, size_t pixel_count, int channels, float factor,
    uint8_t *output);

/* A 3 x 3 mean in which the middle counts five times, rounded; the outermost rows and columns stay. */
void vit_smooth(const uint8_t *input, size_t width, size_t height, int channels, uint8_t *output);

/*
 * Output pixel (x, y) is taken from the input at (m0 x + m1 y + m2, m3 x + m4 y + m5), the centres of pixels lying at
 * halves; a pixel from outside of the image is `fill`. Bilinear, or bicubic with a = -1 where `is_cubic`.
 */
void vit_affine(
    const uint8_t *input, size_t width, size_t height, int channels, const double *matrix, int is_cubic,
    const uint8_t *fill, uint8_t *output);

#endif
