#include "resample_rows.h"

#include <stdlib.h>
#include <string.h>

static int copy_taps(vit_row_resampler *plan, vit_resample_taps taps) {
    const size_t weight_count = plan->width * (size_t)taps.span;
    plan->numbers = malloc((2 * plan->width + weight_count) * sizeof(int32_t));
    if (plan->numbers == NULL) {
        return 0;
    }
    int32_t *counts = plan->numbers + plan->width;
    int32_t *weights = counts + plan->width;
    memcpy(plan->numbers, taps.starts, plan->width * sizeof(int32_t));
    memcpy(counts, taps.counts, plan->width * sizeof(int32_t));
    memcpy(weights, taps.weights, weight_count * sizeof(int32_t));
    plan->taps = (vit_resample_taps){.span = taps.span, .starts = plan->numbers, .counts = counts, .weights = weights};
    for (size_t x = 0; x < plan->width; x++) {
        size_t end = (size_t)(taps.starts[x] + taps.counts[x]) * (size_t)plan->channels;
        plan->used_bytes = end > plan->used_bytes ? end : plan->used_bytes;
    }
    return 1;
}

static int make_room_for_copies(vit_row_resampler *plan) {
    const size_t row_bytes = plan->used_bytes + vit_row_overrun + plan->width * (size_t)plan->channels;
    plan->copies = calloc(vit_row_block, row_bytes);
    return plan->copies != NULL;
}

void vit_free_row_resampler(vit_row_resampler *resampler) {
    if (resampler == NULL) {
        return;
    }
    free(resampler->copies);
    free(resampler->groups);
    free(resampler->numbers);
    free(resampler);
}

vit_row_resampler *vit_make_row_resampler(int channels, vit_resample_taps taps, size_t width) {
    vit_row_resampler *plan = calloc(1, sizeof *plan);
    if (plan == NULL) {
        return NULL;
    }
    plan->channels = channels;
    plan->width = width;
    const int is_plain = channels < 3 || !vit_has_rows_avx2();
    if (!copy_taps(plan, taps) || !make_room_for_copies(plan) || (!is_plain && !vit_split_weights_avx2(plan))) {
        vit_free_row_resampler(plan);
        return NULL;
    }
    return plan;
}

/* Rows that must not be read beyond their ends, at most a block of them, by way of copies. */
static void resample_edge(
    const vit_row_resampler *plan, const uint8_t *input, size_t stride, size_t row_count, uint8_t *output,
    size_t output_stride) {
    const size_t padded_bytes = plan->used_bytes + vit_row_overrun;
    const size_t output_bytes = plan->width * (size_t)plan->channels;
    uint8_t *outputs[vit_row_block];
    const uint8_t *rows[vit_row_block];
    for (size_t row = 0; row < vit_row_block; row++) {
        uint8_t *copy = plan->copies + row * padded_bytes;
        /* A block that is not full is filled up with its first row. */
        memcpy(copy, input + (row < row_count ? row : 0) * stride, plan->used_bytes);
        rows[row] = copy;
        outputs[row] = plan->copies + vit_row_block * padded_bytes + row * output_bytes;
    }
    vit_resample_block_avx2(plan, rows, outputs);
    for (size_t row = 0; row < row_count; row++) {
        memcpy(output + row * output_stride, outputs[row], output_bytes);
    }
}

void vit_resample_rows(
    const vit_row_resampler *plan, const uint8_t *input, size_t input_stride, size_t row_count, uint8_t *output,
    size_t output_stride) {
    if (plan->groups == NULL) {
        vit_resample_rows_plainly(plan, input, input_stride, row_count, output, output_stride);
        return;
    }
    size_t row = 0;
    /* The row that follows covers what is read too much. */
    const size_t covered_rows = input_stride >= vit_row_overrun ? row_count : 0;
    for (; row + vit_row_block < covered_rows; row += vit_row_block) {
        const uint8_t *rows[vit_row_block];
        uint8_t *outputs[vit_row_block];
        for (size_t i = 0; i < vit_row_block; i++) {
            rows[i] = input + (row + i) * input_stride;
            outputs[i] = output + (row + i) * output_stride;
        }
        vit_resample_block_avx2(plan, rows, outputs);
    }
    for (; row < row_count; row += vit_row_block) {
        size_t rest = row_count - row < vit_row_block ? row_count - row : vit_row_block;
        resample_edge(
            plan, input + row * input_stride, input_stride, rest, output + row * output_stride, output_stride);
    }
}
