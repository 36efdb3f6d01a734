#ifndef VIT_PIXELS_H
#define VIT_PIXELS_H

/* Moves and conversions of interleaved 8-bit pixels. */

#include <stddef.h>
#include <stdint.h>

/* Turns an image as EXIF orientation 2 to 8 asks. From 5 on, rows become columns: the output is `height` pixels wide. */
void vit_orient(
    const uint8_t *input, size_t width, size_t height, int channels, int orientation, uint8_t *output);

/* Interleaved pixels to planes of floats: plane c holds table[c * 256 + sample]. */
void vit_planes_from_table(
    const uint8_t *input, size_t pixel_count, int channels, const float *table, float *planes);

/* Colour to brightness, ITU-R 601-2 in integers; an alpha channel stays. Channels: 3 to 1 or 4 to 2. */
void vit_grey_from_colour(const uint8_t *input, size_t pixel_count, int channels, uint8_t *output);

/* Multiplies the colours by their alpha, rounded; channels 2 or 4. */
void vit_premultiply(const uint8_t *input, size_t pixel_count, int channels, uint8_t *output);

/* Divides the colours by their alpha, in place; fully transparent ones stay. */
void vit_unpremultiply(uint8_t *pixels, size_t pixel_count, int channels);

#endif
