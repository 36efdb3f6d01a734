#include <stdint.h>

#include "support.h"

int failures = 0;

double random_number(void) {
    static uint64_t state = 0x9E3779B97F4A7C15u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state % 4096) / 2048 - 1;
}

size_t random_index(size_t below) { return (size_t)((random_number() + 1) / 2 * (double)below); }

static float *floats(size_t count) {
    float *memory = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64 + 64);
    if (memory == NULL) abort();
    return memory;
}

float *random_floats(size_t count) {
    float *numbers = floats(count);
    for (size_t i = 0; i < count; i++) numbers[i] = (float)random_number();
    return numbers;
}

float *unwritten_floats(size_t count) {
    float *numbers = floats(count);
    for (size_t i = 0; i < count; i++) numbers[i] = NAN;
    return numbers;
}

void expect_near(const char *what, double got, double expected, double scale, double tolerance) {
    if (fabs(got - expected) <= tolerance * fmax(1, scale)) return;
    if (failures++ < 20) printf("%s: got %.9g, expected %.9g\n", what, got, expected);
}

int main(void) {
    static const struct {
        vit_instruction_set set;
        const char *name;
    } sets[] = {{vit_portable, "portable"}, {vit_avx2, "avx2"}, {vit_avx_vnni, "avxvnni"}, {vit_avx512, "avx512"},
                {vit_avx512_vnni, "avx512vnni"}, {vit_avx512_bf16, "avx512bf16"}};
    vit_instruction_set supported[sizeof sets / sizeof *sets];
    int count = 0;
    printf("matrix products:");
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (!vit_supports(sets[i].set)) continue;
        supported[count++] = sets[i].set;
        printf(" %s", sets[i].name);
        test_gemm(sets[i].set, vit_float32);
        test_gemm(sets[i].set, vit_bfloat16);
        test_gemm(sets[i].set, vit_int8);
    }
    test_bits(vit_bfloat16, supported, count);
    test_bits(vit_int8, supported, count);
    printf("; vectors, operations\n");
    test_gemv();
    test_operations();
    printf(failures == 0 ? "all kernels agree with plain loops in double\n" : "%d values differ\n", failures);
    return failures == 0 ? 0 : 1;
}
