// What the micro-kernels for different instruction sets have in common.
#ifndef VIT_GEMM_KERNEL_H
#define VIT_GEMM_KERNEL_H

#include "gemm.h"

enum { vit_max_mr = 12, vit_floats_per_line = 16 };

// What a micro-kernel reads: mr rows of A, a part of a micro-panel of B, and memory of the next micro-panel to prefetch.
typedef struct {
    const float *a;
    int64_t a_row_stride, a_column_stride;
    const float *b, *prefetch;
    int64_t b_row_stride, prefetch_stride;
    int64_t k;
} vit_tile_source;

// Where its sums go, from column `column` of C on. Bias, column scale and residual follow the last part of k.
typedef struct {
    const vit_gemm_operands *operands;
    int64_t column;
    float *c;
    const float *residual;  // null: left out
    int32_t accumulates, is_last;
} vit_tile_target;

typedef void (*vit_micro_kernel)(const vit_tile_source *, const vit_tile_target *);

typedef struct {
    int64_t mr, nr;
    // The longest part of k whose micro-panels fit the caches, and the same where A is read down its columns.
    int64_t kc, kc_across;
    // A micro-kernel prefetches a line of the next micro-panel with every so many steps of k.
    int64_t prefetch_period;
    // From so many columns on, an A that is read down its columns is packed wherever it lies.
    int64_t min_n_for_packing_a;
    // A function for each number of rows: for A by its strides, and for A whose columns are contiguous.
    vit_micro_kernel tiles[2][vit_max_mr];
    // Pack k columns of A from column `first` on so that the mr rows of a tile are contiguous, y[i * rows + row]: all rows of
    // an A whose columns are contiguous, or `rows` rows that lie `stride` floats apart.
    void (*pack_a_columns)(const vit_gemm_operands *operands, int64_t first, int64_t k, float *y);
    void (*pack_a_rows)(const float *a, int64_t stride, int64_t rows, int64_t k, float *y);
} vit_gemm_kernel;

extern const vit_gemm_kernel vit_gemm_portable;
#if defined(__x86_64__)
extern const vit_gemm_kernel vit_gemm_avx2, vit_gemm_avx512;
#endif

#endif
