// What the products of panels for different processors have in common.
#ifndef VIT_PANELS_KERNEL_H
#define VIT_PANELS_KERNEL_H

#include "panels.h"

enum { vit_most_strip_rows = 12, vit_floats_of_line = 16 };

// What a tile of C reads: its strip of A, the part of a panel, and the memory that the next panels need soon.
typedef struct {
    const float *a;
    int64_t row_stride, column_stride;
    const float *panel, *later;
    int64_t panel_row_stride, later_stride;
    int64_t inner;
} vit_tile_source;

// Where its sums go: to what C holds, where it `adds`. What follows the product follows its last part alone, where it `ends`.
typedef struct {
    const vit_panel_product *product;
    int64_t column;
    float *c;
    const float *residual;  // null: left out
    int32_t adds, ends;
} vit_tile_target;

typedef void (*vit_tile_function)(const vit_tile_source *, const vit_tile_target *);

typedef struct {
    int64_t panel_width, strip_rows;
    // Parts of the inner length whose panels and strips fit the caches, and the same where A is read across memory.
    int64_t longest_inner, longest_across;
    // A tile asks for a line of the next panel with every so many of its inner numbers.
    int64_t later_period;
    // Columns from which on an A that is read across memory is copied wherever it lies.
    int64_t columns_worth_copying;
    // A function for each number of rows, for A as it is and for A with the rows of a strip next to each other.
    vit_tile_function tiles[2][vit_most_strip_rows];
    // Copy A so that the rows of a strip are next to each other, y[i * rows + row]: all strips of an A whose rows are next
    // to each other, one after the other, or one strip whose rows lie `stride` floats apart.
    void (*copy_columns)(const vit_panel_product *product, int64_t first, int64_t inner, float *y);
    void (*copy_strip)(const float *a, int64_t stride, int64_t rows, int64_t inner, float *y);
} vit_panel_kernel;

#if defined(__x86_64__)
extern const vit_panel_kernel vit_panels_of_avx2, vit_panels_of_avx512;
#endif

#endif
