// What the micro-kernels for different instruction sets have in common.
#ifndef VIT_GEMM_KERNEL_H
#define VIT_GEMM_KERNEL_H

#include "gemm.h"

enum { vit_max_mr = 12, vit_floats_per_line = 16 };

// The longest part of k of a product of bfloat16, in words: the same for all instruction sets, so that their sums are.
enum { vit_bf16_kc = 1024 };
// Sums of int8 are made floats once all of k is added up.
#define VIT_INT8_KC ((int64_t)1 << 40)

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
    const float *a_scale;   // int8: of each row
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
    // The numbers of a word of B, and the words of A that meet it: two where it is A's numbers that are wide.
    int64_t numbers_per_word, parts;
    // Null, or rounds rows of A to words; int8 has a scale for each.
    void (*round_a)(
        const float *a, int64_t stride, int64_t rows, int64_t k, float *words, int64_t word_stride, float *scales);
    // Rounds columns of B in the same way; int8 has the sum of each column's numbers besides.
    void (*round_b)(
        const float *b, int64_t stride, int64_t columns, int64_t k, float *words, int64_t word_stride, float *scales,
        int32_t *sums);
    // Null, or round and pack panels of a matrix whose rows are contiguous, for B and for the A of a product that sums over rows.
    void (*pack_rows_of_b)(const vit_b_matrix *matrix, int64_t first, int64_t count, float *packed);
    void (*pack_rows_of_a)(const vit_b_matrix *matrix, int64_t first, int64_t count, float *packed);
} vit_gemm_kernel;

// Rounding by the compiler's vectors: to pairs of bfloat16; to bfloat16 as floats, whose lower halves are zero; to words of four
// numbers of 8 bits, with or without 128 added to each, for instructions that take A without a sign; to two of 16 bits.
#define ROUND_A(NAME)                                                                                             \
    void vit_round_a_to_##NAME(                                                                                   \
        const float *a, int64_t stride, int64_t rows, int64_t k, float *words, int64_t word_stride, float *scales)
#define ROUND_B(NAME)                                                                                                \
    void vit_round_b_to_##NAME(                                                                                      \
        const float *b, int64_t stride, int64_t columns, int64_t k, float *words, int64_t word_stride, float *scales, \
        int32_t *sums)
#define PACK_ROWS(NAME) \
    void vit_pack_rows_as_##NAME(const vit_b_matrix *matrix, int64_t first, int64_t count, float *packed)
ROUND_A(wide_bfloat16);
ROUND_A(offset_int8);
ROUND_A(int16);
ROUND_B(bfloat16);
ROUND_B(int8);
ROUND_B(int16);
PACK_ROWS(bfloat16);
PACK_ROWS(wide_bfloat16);
// What the numbers of a row are multiplied by before they are rounded to int8, and the scale that takes them back.
float vit_int8_factor(uint32_t largest_bits, float *scale);

extern const vit_gemm_kernel vit_gemm_portable, vit_gemm_portable_bf16, vit_gemm_portable_int8;
#if defined(__x86_64__)
extern const vit_gemm_kernel vit_gemm_avx2, vit_gemm_avx512, vit_gemm_avx2_bf16, vit_gemm_avx512_bf16,
    vit_gemm_avx512_emulated_bf16, vit_gemm_avx2_int8, vit_gemm_avx_vnni_int8, vit_gemm_avx512_vnni_int8;
#endif

#endif
