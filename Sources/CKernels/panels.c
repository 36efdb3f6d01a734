#include "panels.h"

#include <stddef.h>

#include "panels_kernel.h"

static const vit_panel_kernel *kernel_of(vit_panel_kind kind) {
#if defined(__x86_64__)
    return kind == vit_avx512_panels ? &vit_panels_of_avx512 : &vit_panels_of_avx2;
#else
    (void)kind;
    static const vit_panel_kernel none = {.panel_width = 1, .strip_rows = 1, .longest_inner = 1, .longest_across = 1};
    return &none;
#endif
}

int vit_can_multiply_panels(vit_panel_kind kind) {
#if defined(__x86_64__)
    if (kind == vit_avx512_panels) return __builtin_cpu_supports("avx512f") != 0;
    return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
#else
    (void)kind;
    return 0;
#endif
}

int64_t vit_panel_width(vit_panel_kind kind) { return kernel_of(kind)->panel_width; }
int64_t vit_strip_rows(vit_panel_kind kind) { return kernel_of(kind)->strip_rows; }

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// Parts of the inner length, of nearly one size, whose panels and strips fit the caches; shorter ones where A is read across
// memory.
static int64_t part_size(const vit_panel_kernel *kernel, int64_t inner, int is_across) {
    const int64_t longest = is_across ? kernel->longest_across : kernel->longest_inner, whole = vit_floats_of_line;
    const int64_t parts = (inner + longest - 1) / longest;
    return parts < 2 ? inner : (inner + parts * whole - 1) / (parts * whole) * whole;
}

int64_t vit_panel_room(vit_panel_kind kind, int64_t rows, int64_t inner) {
    return rows * part_size(kernel_of(kind), inner, 0) + vit_floats_of_line;
}

// Neighbours in A that lie so that they drive each other out of the caches are copied.
static int is_copied(const vit_panel_kernel *kernel, const vit_panel_product *product) {
    const int is_across = product->a_row_stride == 1;
    const int64_t stride = is_across ? product->a_column_stride : product->a_row_stride;
    return stride % vit_conflicting_stride == 0 || (is_across && product->columns >= kernel->columns_worth_copying);
}

static void copy_left(
    const vit_panel_kernel *kernel, const vit_panel_product *product, int64_t first, int64_t inner, float *y) {
    if (product->a_row_stride == 1) {
        kernel->copy_columns(product, first, inner, y);
        return;
    }
    for (int64_t row = 0; row < product->rows; row += kernel->strip_rows)
        kernel->copy_strip(
            product->a + row * product->a_row_stride + first, product->a_row_stride,
            smaller(kernel->strip_rows, product->rows - row), inner, y + row * inner);
}

// The first strips bring the next panel, a share of it each, to the second cache.
static void look_ahead(const vit_panel_kernel *kernel, const vit_panel_product *product, int64_t strip, vit_tile_source *from) {
    const int64_t lines = kernel->panel_width / vit_floats_of_line, period = kernel->later_period;
    if (strip >= lines * period) {
        from->later = from->panel;
        from->later_stride = 0;
        return;
    }
    const float *next = from->panel + product->panel_stride;
    if (from->panel_row_stride == kernel->panel_width) {
        from->later = next + strip * (from->inner / period) * vit_floats_of_line;
        from->later_stride = vit_floats_of_line;
    } else {
        from->later = next + strip / lines * from->panel_row_stride + strip % lines * vit_floats_of_line;
        from->later_stride = period * from->panel_row_stride;
    }
}

// The strips of one panel, the first of which `from` and `to` say.
static void multiply_panel(
    const vit_panel_kernel *kernel, int is_copied, vit_tile_source from, vit_tile_target to) {
    const vit_panel_product *product = to.product;
    const int64_t height = kernel->strip_rows;
    const int64_t a_step = height * (is_copied ? from.inner : from.row_stride);
    const int is_last = to.column + kernel->panel_width >= product->columns;
    const vit_tile_function *tiles = kernel->tiles[from.row_stride == 1];
    for (int64_t strip = 0, left = product->rows; left > 0; strip++, left -= height) {
        const int64_t rows = smaller(height, left);
        if (is_copied) from.column_stride = rows;
        if (!is_last) look_ahead(kernel, product, strip, &from);
        tiles[rows - 1](&from, &to);
        from.a += a_step;
        to.c += height * product->c_row_stride;
        if (to.residual) to.residual += height * product->residual_row_stride;
    }
}

static void multiply_part(
    const vit_panel_kernel *kernel, const vit_panel_product *product, int64_t first, int64_t inner, float *room) {
    const int copies = is_copied(kernel, product);
    if (copies) copy_left(kernel, product, first, inner, room);
    const float *a = copies ? room : product->a + first * product->a_column_stride;
    const float *panel = product->panels + first * product->panel_row_stride;
    const int adds = first > 0 || product->accumulates, ends = first + inner == product->inner;
    for (int64_t column = 0; column < product->columns; column += kernel->panel_width) {
        const float *residual = ends && product->residual ? product->residual + column : NULL;
        multiply_panel(
            kernel, copies,
            (vit_tile_source){a, copies ? 1 : product->a_row_stride, product->a_column_stride, panel, panel,
                              product->panel_row_stride, 0, inner},
            (vit_tile_target){product, column, product->c + column, residual, adds, ends});
        panel += product->panel_stride;
    }
}

void vit_multiply_panels(vit_panel_kind kind, const vit_panel_product *product, float *room) {
    const vit_panel_kernel *kernel = kernel_of(kind);
    const int64_t size = part_size(kernel, product->inner, product->a_row_stride == 1);
    for (int64_t first = 0; first < product->inner; first += size)
        multiply_part(kernel, product, first, smaller(size, product->inner - first), room);
}
