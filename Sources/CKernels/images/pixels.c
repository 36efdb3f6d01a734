#include "pixels.h"

#include <string.h>

static inline __attribute__((always_inline)) void orient(
    const uint8_t *input, size_t width, size_t height, const int channels, int orientation, uint8_t *output) {
    const ptrdiff_t pixel = channels;
    const ptrdiff_t row = (ptrdiff_t)width * pixel;
    const int transposed = orientation >= 5;
    /* Where the first output pixel lies, and the steps from one to the next in a row and in a column. */
    const int from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const int from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    const ptrdiff_t along_x = from_right ? -pixel : pixel;
    const ptrdiff_t along_y = from_bottom ? -row : row;
    const uint8_t *first = input + (from_right ? row - pixel : 0) + (from_bottom ? row * ((ptrdiff_t)height - 1) : 0);
    const size_t output_width = transposed ? height : width;
    const size_t output_height = transposed ? width : height;
    const ptrdiff_t step = transposed ? along_y : along_x;
    const ptrdiff_t row_step = transposed ? along_x : along_y;
    /* Where rows become columns, square by square: the lines of the cache that a square is read from serve all its rows. */
    const size_t side = 32;
    const size_t block_height = transposed ? side : 1;
    const size_t block_width = transposed ? side : output_width;
    for (size_t top = 0; top < output_height; top += block_height) {
        const size_t bottom = top + block_height < output_height ? top + block_height : output_height;
        for (size_t left = 0; left < output_width; left += block_width) {
            const size_t right = left + block_width < output_width ? left + block_width : output_width;
            for (size_t y = top; y < bottom; y++) {
                const uint8_t *source = first + (ptrdiff_t)y * row_step + (ptrdiff_t)left * step;
                uint8_t *target = output + (y * output_width + left) * (size_t)pixel;
                for (size_t x = left; x < right; x++, source += step, target += pixel) {
                    memcpy(target, source, (size_t)pixel);
                }
            }
        }
    }
}

void vit_orient(
    const uint8_t *input, size_t width, size_t height, int channels, int orientation, uint8_t *output) {
    switch (channels) {
    case 1:
        orient(input, width, height, 1, orientation, output);
        break;
    case 2:
        orient(input, width, height, 2, orientation, output);
        break;
    case 3:
        orient(input, width, height, 3, orientation, output);
        break;
    default:
        orient(input, width, height, 4, orientation, output);
    }
}

void vit_planes_from_table(
    const uint8_t *input, size_t pixel_count, int channels, const float *table, float *planes) {
    for (int channel = 0; channel < channels; channel++) {
        const float *values = table + channel * 256;
        const uint8_t *samples = input + channel;
        float *plane = planes + (size_t)channel * pixel_count;
        for (size_t i = 0; i < pixel_count; i++) {
            plane[i] = values[samples[i * (size_t)channels]];
        }
    }
}

void vit_grey_from_colour(const uint8_t *input, size_t pixel_count, int channels, uint8_t *output) {
    for (size_t i = 0; i < pixel_count; i++, input += channels) {
        *output++ = (uint8_t)((input[0] * 19595 + input[1] * 38470 + input[2] * 7471 + 0x8000) >> 16);
        if (channels == 4) {
            *output++ = input[3];
        }
    }
}

void vit_premultiply(const uint8_t *input, size_t pixel_count, int channels, uint8_t *output) {
    for (size_t i = 0; i < pixel_count; i++, input += channels, output += channels) {
        int alpha = input[channels - 1];
        for (int channel = 0; channel < channels - 1; channel++) {
            int product = input[channel] * alpha + 128;
            output[channel] = (uint8_t)(((product >> 8) + product) >> 8);
        }
        output[channels - 1] = (uint8_t)alpha;
    }
}

void vit_unpremultiply(uint8_t *pixels, size_t pixel_count, int channels) {
    for (size_t i = 0; i < pixel_count; i++, pixels += channels) {
        int alpha = pixels[channels - 1];
        if (alpha == 0 || alpha == 255) {
            continue;
        }
        for (int channel = 0; channel < channels - 1; channel++) {
            int value = 255 * pixels[channel] / alpha;
            pixels[channel] = (uint8_t)(value > 255 ? 255 : value);
        }
    }
}
