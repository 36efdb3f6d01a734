// Matrix products with sums in single precision or of whole numbers, built like BLIS (Van Zee and van de Geijn 2015): a
// micro-kernel keeps a tile of C, mr rows by nr columns, in registers and adds up products of A and of a micro-panel of B, nr
// columns wide, over kc of the k inner indices.
#ifndef VIT_GEMM_H
#define VIT_GEMM_H

#include <stdint.h>

// The instruction sets that there are micro-kernels for. The portable one is written in the compiler's vectors of 128 bits:
// SSE2 on x86-64, NEON on Arm64.
typedef enum {
    vit_portable, vit_avx2, vit_avx_vnni, vit_avx512, vit_avx512_vnni,
    vit_avx512_bf16  // with VNNI, as all processors have it
} vit_instruction_set;

// What A and B are rounded to, to nearest even, before they are multiplied. Two numbers of bfloat16, and two or four of int8, that
// are neighbours in k are a word of 32 bits, the first one lowest: a row of packed B holds words where one of float32 holds floats.
//
// bfloat16: what is smaller than a normal number becomes zero, as the processor's own instructions have it. int8: -127..127 for
// the largest magnitude of a row of A or a column of B, whose scale is that magnitude / 127; sums are exact.
typedef enum { vit_float32, vit_bfloat16, vit_int8 } vit_gemm_format;

// Whether this processor has the instruction set.
int vit_supports(vit_instruction_set set);

// Whether this processor multiplies and adds pairs of bfloat16 in one instruction, but is faster by two of single precision, as
// some are: the times of both, measured in a few microseconds. The bits of the sums are the same.
int vit_pairs_are_slow(void);

// Multiplies and adds words in registers, `rounds` times in one or two dozen vectors, by the instructions that the set's products
// in that format consist of. Returns the number of multiply-adds; 0: they are those of float32.
int64_t vit_word_multiply_adds(vit_instruction_set set, vit_gemm_format format, int64_t rounds);

// The rows and columns of a micro-kernel's tile, and the numbers of a word.
int64_t vit_gemm_mr(vit_instruction_set set, vit_gemm_format format);
int64_t vit_gemm_nr(vit_instruction_set set, vit_gemm_format format);
int64_t vit_gemm_numbers_per_word(vit_instruction_set set, vit_gemm_format format);

// Rows that lie a multiple of so many floats apart map to the same sets of a cache and evict each other.
enum { vit_conflicting_stride = 1024 };

// C (m x n) = column_scale * (alpha * A (m x k) * B (k x n) + bias) + residual; where it accumulates, what C holds is added to
// alpha * A * B. B is packed in the product's format, A is float32 or rounded before, and all else is float32. Strides are in
// floats.
typedef struct {
    int64_t m, n, k;
    const float *a;
    int64_t a_row_stride, a_column_stride;  // one of them is 1
    int64_t a_tile_stride;  // from mr rows to the next where A is packed; 0: rows follow each other
    int32_t a_is_rounded;
    const float *a_scale;  // int8, rounded before: of each row
    const float *b;
    int64_t b_panel_stride, b_row_stride;  // from a micro-panel to the next, and from a row of it to the next
    float alpha;
    int32_t accumulates;
    const float *b_scale;      // int8: of each column
    const int32_t *b_sum;      // int8: the sum of each column's numbers
    const float *bias, *column_scale, *residual;  // null: left out
    int64_t residual_row_stride;
    float *c;
    int64_t c_row_stride;
} vit_gemm_operands;

// Floats from a row of rounded A to the next: whole lines of the cache, that do not evict each other. 0: A is not rounded.
int64_t vit_gemm_rounded_stride(vit_instruction_set set, vit_gemm_format format, int64_t k);

// Rounds rows of A (k floats, `stride` floats apart) for several products; int8 has a scale for each.
void vit_gemm_round_a(
    vit_instruction_set set, vit_gemm_format format, const float *a, int64_t stride, int64_t rows, int64_t k,
    float *rounded, float *scales);

// The floats of workspace, aligned to 64 bytes, that a product with so many rows and inner indices needs.
int64_t vit_gemm_workspace(vit_instruction_set set, vit_gemm_format format, int64_t m, int64_t k);

// Each element of C is summed in the order of k, however rows and columns are divided among calls.
void vit_gemm(
    vit_instruction_set set, vit_gemm_format format, const vit_gemm_operands *operands, float *workspace);

// A matrix B (k x n) to be packed into micro-panels of nr columns, a multiple of 16: one after the other, each row by row.
// One of its strides, in floats, is 1.
typedef struct {
    const float *b;
    int64_t row_stride, column_stride, k, n, nr;
} vit_b_matrix;

// Packs `count` micro-panels from number `first` on, each at its place in `packed`. Columns that the last one lacks are zero.
void vit_pack_b(const vit_b_matrix *matrix, int64_t first, int64_t count, float *packed);

// Rounds columns of B (k floats each, `stride` floats apart) to words, `word_stride` words apart; int8 has a scale of each and the
// sum of its numbers.
void vit_gemm_round_b(
    vit_instruction_set set, vit_gemm_format format, const float *b, int64_t stride, int64_t columns, int64_t k,
    float *words, int64_t word_stride, float *scales, int32_t *sums);

// The same as vit_pack_b for a B whose rows are contiguous, which is rounded on the way; not for int8.
void vit_gemm_pack_rows_of_b(
    vit_instruction_set set, vit_gemm_format format, const vit_b_matrix *matrix, int64_t first, int64_t count,
    float *packed);

// Rounds and packs an A (m x k) whose columns are contiguous, given as a matrix (k x m) in panels of mr: a_row_stride is 1 then,
// a_column_stride mr, and a_tile_stride as below. bfloat16 only.
void vit_gemm_pack_rows_of_a(
    vit_instruction_set set, vit_gemm_format format, const vit_b_matrix *matrix, int64_t first, int64_t count,
    float *packed);

// Packs all micro-panels of a B (k x n) of bfloat16 whose rows, `stride` numbers apart, are contiguous.
void vit_pack_pairs(const uint16_t *rows, int64_t stride, int64_t k, int64_t n, int64_t nr, float *packed);

// Floats of a tile of A that is packed so; 0: there is none.
int64_t vit_gemm_packed_a_stride(vit_instruction_set set, vit_gemm_format format, int64_t k);

#endif
