#include "failure.h"

#include <stdio.h>
#include <stdlib.h>

void codecs_fail(codecs_error *error, codecs_status status, const char *message) {
    if (error->status != CODECS_OK) {
        return;
    }
    error->status = status;
    snprintf(error->message, sizeof error->message, "%s", message);
}

void codecs_free(uint8_t *encoded) {
    free(encoded);
}
