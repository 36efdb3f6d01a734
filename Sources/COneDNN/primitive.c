#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct vit_context {
    dnnl_stream_t stream;
    void *scratch;
    size_t scratch_size;
};

static dnnl_engine_t shared_engine;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;

static void make_engine(void) {
    if (dnnl_engine_create(&shared_engine, dnnl_cpu, 0) != dnnl_success) shared_engine = NULL;
}

dnnl_engine_t vit_engine(void) {
    pthread_once(&engine_once, make_engine);
    return shared_engine;
}

const char *vit_status_text(int status) {
    switch (status) {
        case dnnl_success: return "success";
        case dnnl_out_of_memory: return "out of memory";
        case dnnl_invalid_arguments: return "invalid arguments";
        case dnnl_unimplemented: return "not offered by this version of oneDNN";
        case dnnl_runtime_error: return "run-time error";
        default: return "unexpected status";
    }
}

int vit_onednn_version(void) {
    const dnnl_version_t *version = dnnl_version();
    return version->major * 10000 + version->minor * 100 + version->patch;
}

static void (*set_team_size)(int);
static pthread_once_t team_once = PTHREAD_ONCE_INIT;

static void find_team_size(void) {
    // Looked up at run time: which OpenMP runtime is there, if any, is the affair of the oneDNN that is installed.
    set_team_size = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
}

void vit_use_calling_thread_only(void) {
    pthread_once(&team_once, find_team_size);
    if (set_team_size) set_team_size(1);
}

int vit_context_create(vit_context **context) {
    vit_context *made = calloc(1, sizeof *made);
    if (!made) return dnnl_out_of_memory;
    dnnl_status_t status = dnnl_stream_create(&made->stream, vit_engine(), dnnl_stream_default_flags);
    if (status != dnnl_success) {
        free(made);
        return (int)status;
    }
    *context = made;
    return 0;
}

void vit_context_destroy(vit_context *context) {
    if (!context) return;
    dnnl_stream_destroy(context->stream);
    free(context->scratch);
    free(context);
}

static void *scratch_of(vit_context *context, size_t size) {
    if (context->scratch_size < size) {
        free(context->scratch);
        context->scratch_size = (size + 4095) / 4096 * 4096;
        context->scratch = aligned_alloc(4096, context->scratch_size);
        if (!context->scratch) context->scratch_size = 0;
    }
    return context->scratch;
}

dnnl_status_t vit_attributes(dnnl_primitive_attr_t *attributes) {
    dnnl_status_t status = dnnl_primitive_attr_create(attributes);
    if (status != dnnl_success) return status;
    return dnnl_primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user);
}

static dnnl_status_t desc_2d(vit_desc *desc, int64_t rows, int64_t columns, const dnnl_dims_t strides) {
    const dnnl_dims_t dims = {rows, columns};
#if DNNL_VERSION_MAJOR >= 3
    if (strides) return dnnl_memory_desc_create_with_strides(desc, 2, dims, dnnl_f32, strides);
    return dnnl_memory_desc_create_with_tag(desc, 2, dims, dnnl_f32, dnnl_format_tag_any);
#else
    if (strides) return dnnl_memory_desc_init_by_strides(desc, 2, dims, dnnl_f32, strides);
    return dnnl_memory_desc_init_by_tag(desc, 2, dims, dnnl_f32, dnnl_format_tag_any);
#endif
}

dnnl_status_t vit_desc_strided(
    vit_desc *desc, int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride) {
    const dnnl_dims_t strides = {row_stride, column_stride};
    return desc_2d(desc, rows, columns, strides);
}

dnnl_status_t vit_desc_any(vit_desc *desc, int64_t rows, int64_t columns) { return desc_2d(desc, rows, columns, NULL); }

dnnl_status_t vit_desc_copy(vit_desc *desc, vit_desc_ref other) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_memory_desc_clone(desc, other);
#else
    *desc = *other;
    return dnnl_success;
#endif
}

void vit_desc_free(vit_desc *desc) {
#if DNNL_VERSION_MAJOR >= 3
    if (*desc) dnnl_memory_desc_destroy(*desc);
    *desc = NULL;
#else
    (void)desc;
#endif
}

static size_t desc_size(vit_desc_ref desc) { return desc ? dnnl_memory_desc_get_size(desc) : 0; }

static vit_desc_ref query_desc(const_dnnl_primitive_desc_t description, dnnl_query_t what, int index) {
    return dnnl_primitive_desc_query_md(description, what, index);
}

int vit_primitive_finish(
    vit_primitive **result, dnnl_primitive_desc_t description, int count, const vit_argument *arguments) {
    vit_primitive *made = calloc(1, sizeof *made);
    if (!made) {
        dnnl_primitive_desc_destroy(description);
        return dnnl_out_of_memory;
    }
    dnnl_status_t status = dnnl_primitive_create(&made->primitive, description);
    dnnl_primitive_desc_destroy(description);
    if (status != dnnl_success) {
        free(made);
        return (int)status;
    }
    dnnl_primitive_get_primitive_desc(made->primitive, &made->description);
    made->argument_count = count;
    for (int i = 0; i < count; i++) {
        vit_desc_ref desc = arguments[i].desc;
        if (!desc) desc = query_desc(made->description, dnnl_query_exec_arg_md, arguments[i].id);
        made->argument_ids[i] = arguments[i].id;
        if (desc) vit_desc_copy(&made->argument_descs[i], desc);
    }
    made->scratch_size = desc_size(query_desc(made->description, dnnl_query_scratchpad_md, 0));
    *result = made;
    return 0;
}

void vit_primitive_destroy(vit_primitive *primitive) {
    if (!primitive) return;
    for (int i = 0; i < primitive->argument_count; i++) vit_desc_free(&primitive->argument_descs[i]);
    dnnl_primitive_destroy(primitive->primitive);
    free(primitive);
}

int vit_primitive_run(const vit_primitive *primitive, vit_context *context, void *const *pointers) {
    dnnl_exec_arg_t arguments[vit_max_arguments + 1];
    int count = 0;
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < primitive->argument_count && status == dnnl_success; i++) {
        if (!pointers[i]) continue;
        arguments[count].arg = primitive->argument_ids[i];
        status = dnnl_memory_create(
            &arguments[count].memory, DESC_REF(primitive->argument_descs[i]), vit_engine(), pointers[i]);
        if (status == dnnl_success) count++;
    }
    if (primitive->scratch_size > 0 && status == dnnl_success) {
        void *scratch = scratch_of(context, primitive->scratch_size);
        vit_desc_ref desc = query_desc(primitive->description, dnnl_query_scratchpad_md, 0);
        status = scratch ? dnnl_memory_create(&arguments[count].memory, desc, vit_engine(), scratch) : dnnl_out_of_memory;
        arguments[count].arg = DNNL_ARG_SCRATCHPAD;
        if (status == dnnl_success) count++;
    }
    if (status == dnnl_success) status = dnnl_primitive_execute(primitive->primitive, context->stream, count, arguments);
    for (int i = 0; i < count; i++) dnnl_memory_destroy(arguments[i].memory);
    return (int)status;
}
