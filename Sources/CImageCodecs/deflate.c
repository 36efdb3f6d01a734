#include "codecs.h"

#include <string.h>
#include <zlib.h>

uint32_t codecs_crc32(const uint8_t *bytes, size_t count) {
    return (uint32_t)crc32_z(crc32(0, NULL, 0), bytes, count);
}

size_t codecs_unpack(const uint8_t *bytes, size_t count, uint8_t *output, size_t limit) {
    uint8_t scratch[4096];
    z_stream stream;
    size_t size = 0;
    int result = Z_OK;
    memset(&stream, 0, sizeof stream);
    if (count > UINT32_MAX || inflateInit(&stream) != Z_OK) {
        return 0;
    }
    stream.next_in = (Bytef *)bytes;
    stream.avail_in = (uInt)count;
    while (result == Z_OK && size <= limit) {
        stream.next_out = scratch;
        stream.avail_out = sizeof scratch;
        result = inflate(&stream, Z_NO_FLUSH);
        size_t part = sizeof scratch - stream.avail_out;
        if (output != NULL && size < limit) {
            memcpy(output + size, scratch, part < limit - size ? part : limit - size);
        }
        size += part;
    }
    inflateEnd(&stream);
    return size <= limit ? size : limit + 1;
}
