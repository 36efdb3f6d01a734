#include <string.h>

#include "../../rounding.h"
#include "../gemm_kernel.h"

// A row of an odd length ends in zero.
CLONED ROUND_B(bfloat16) {
    (void)scales, (void)sums;
    for (int64_t column = 0; column < columns; column++) {
        const float *from = b + column * stride;
        float *to = words + column * word_stride;
        for (int64_t i = 0; i < k / 2; i++) {
            uint32_t pair[2], word;
            memcpy(pair, from + 2 * i, sizeof pair);
            word = rounded(pair[0]) >> 16 | rounded(pair[1]);
            memcpy(to + i, &word, sizeof word);
        }
        if (k % 2 == 1) {
            uint32_t last;
            memcpy(&last, from + k - 1, sizeof last);
            last = rounded(last) >> 16;
            memcpy(to + k / 2, &last, sizeof last);
        }
    }
}

CLONED ROUND_A(wide_bfloat16) {
    (void)scales;
    for (int64_t row = 0; row < rows; row++) {
        const float *from = a + row * stride;
        float *to = words + row * word_stride;
        for (int64_t i = 0; i < k; i++) {
            uint32_t bits;
            memcpy(&bits, from + i, sizeof bits);
            bits = rounded(bits);
            memcpy(to + i, &bits, sizeof bits);
        }
        if (k % 2 == 1) to[k] = 0;
    }
}

// Columns of a panel, and what a row of it is filled up with.
typedef struct {
    const float *from;
    int64_t present;
} panel_part;

INLINED panel_part part_of_panel(const vit_b_matrix *matrix, int64_t panel, int64_t row) {
    const int64_t start = panel * matrix->nr, left = matrix->n - start;
    return (panel_part){matrix->b + row * matrix->row_stride + start, left < matrix->nr ? left : matrix->nr};
}

// A word of numbers of two rows; `second` may be null, for zeros.
INLINED void pair_rows(const float *first, const float *second, int64_t count, int64_t width, float *words) {
    for (int64_t i = 0; i < count; i++) {
        uint32_t low, high = 0;
        memcpy(&low, first + i, sizeof low);
        if (second) memcpy(&high, second + i, sizeof high);
        low = rounded(low) >> 16 | rounded(high);
        memcpy(words + i, &low, sizeof low);
    }
    for (int64_t i = count; i < width; i++) words[i] = 0;
}

// All panels of two rows before the next two, since they are read from neighbouring places.
CLONED PACK_ROWS(bfloat16) {
    const int64_t words = (matrix->k + 1) / 2, nr = matrix->nr;
    for (int64_t word = 0; word < words; word++)
        for (int64_t panel = first; panel < first + count; panel++) {
            const panel_part part = part_of_panel(matrix, panel, 2 * word);
            const float *second = 2 * word + 1 < matrix->k ? part.from + matrix->row_stride : NULL;
            pair_rows(part.from, second, part.present, nr, packed + (panel * words + word) * nr);
        }
}

CLONED PACK_ROWS(wide_bfloat16) {
    const int64_t rows = (matrix->k + 1) / 2 * 2, nr = matrix->nr;
    for (int64_t row = 0; row < rows; row++)
        for (int64_t panel = first; panel < first + count; panel++) {
            const panel_part part = part_of_panel(matrix, panel, row);
            const int64_t present = row < matrix->k ? part.present : 0;
            float *to = packed + (panel * rows + row) * nr;
            for (int64_t i = 0; i < present; i++) {
                uint32_t bits;
                memcpy(&bits, part.from + i, sizeof bits);
                bits = rounded(bits);
                memcpy(to + i, &bits, sizeof bits);
            }
            for (int64_t i = present; i < nr; i++) to[i] = 0;
        }
}

CLONED void vit_pack_pairs(
    const uint16_t *rows, int64_t stride, int64_t k, int64_t n, int64_t nr, float *packed) {
    const int64_t words = (k + 1) / 2, panels = (n + nr - 1) / nr;
    for (int64_t panel = 0; panel < panels; panel++)
        for (int64_t word = 0; word < words; word++) {
            const uint16_t *first = rows + 2 * word * stride + panel * nr;
            const uint16_t *second = 2 * word + 1 < k ? first + stride : NULL;
            const int64_t present = n - panel * nr < nr ? n - panel * nr : nr;
            float *to = packed + (panel * words + word) * nr;
            for (int64_t i = 0; i < present; i++) {
                const uint32_t pair = first[i] | (second ? (uint32_t)second[i] << 16 : 0);
                memcpy(to + i, &pair, sizeof pair);
            }
            for (int64_t i = present; i < nr; i++) to[i] = 0;
        }
}
