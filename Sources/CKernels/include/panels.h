// Products of matrices in single precision on processors with AVX-512 or AVX2, where they are faster than oneDNN's: for the
// few rows of one picture, for inner lengths that divide into powers of two, and for the small matrices of attention.
#ifndef VIT_PANELS_H
#define VIT_PANELS_H

#include <stdint.h>

// The right side is read in panels of so many columns, each from top to bottom: as vit_pack_block makes them, or as
// they lie in a matrix of rows. The left one is read in strips of so many rows.
typedef enum : int32_t { vit_avx2_panels, vit_avx512_panels } vit_panel_kind;
int64_t vit_panel_width(vit_panel_kind kind);
int64_t vit_strip_rows(vit_panel_kind kind);

// Rows that lie a multiple of so many floats apart drive each other out of the caches.
enum { vit_conflicting_stride = 1024 };

// C = column_scale * (scale * A * B + bias) + residual, or what C holds + A * B * scale where it accumulates.
typedef struct {
    int64_t rows, inner, columns;
    const float *a;
    int64_t a_row_stride, a_column_stride;  // in floats; one of them is 1
    const float *panels;
    int64_t panel_stride, panel_row_stride;  // floats from a panel to the next, and from a row of it to the next
    float scale;
    int32_t accumulates;
    const float *bias, *column_scale, *residual;  // null: left out
    int64_t residual_row_stride;
    float *c;
    int64_t c_row_stride;
} vit_panel_product;

// Whether this processor can run what follows.
int vit_can_multiply_panels(vit_panel_kind kind);

// The floats that a product of so many rows and inner numbers wants as room, aligned to 64 bytes.
int64_t vit_panel_room(vit_panel_kind kind, int64_t rows, int64_t inner);

// Each number of C is summed up in the order of the inner index, however rows and columns are divided among calls.
void vit_multiply_panels(vit_panel_kind kind, const vit_panel_product *product, float *room);

#endif
