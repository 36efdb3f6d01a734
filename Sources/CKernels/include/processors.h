// What worker threads need of the processor.
#ifndef VIT_PROCESSORS_H
#define VIT_PROCESSORS_H

#include <stdint.h>

// A hint that this is a spinning loop.
static inline void vit_spin_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// The number of processors that this process may use.
int vit_available_cores(void);

#endif
