// What the worker threads ask of the processor.
#ifndef VIT_PROCESSORS_H
#define VIT_PROCESSORS_H

#include <stdint.h>

// Tells the processor that this is a waiting loop.
static inline void vit_spin_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// The processors that this process may use.
int vit_available_cores(void);

#endif
