#include "codecs.h"

#include <string.h>
#include <zlib.h>

static uInt step_of(size_t count) { return count > (1u << 30) ? 1u << 30 : (uInt)count; }

int codecs_inflate(const uint8_t *packed, size_t packed_count, uint8_t *bytes, size_t count) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    /* A negative window size selects a raw stream, without a zlib header. */
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
        return 0;
    }
    stream.next_in = (Bytef *)packed;
    stream.next_out = bytes;
    int result = Z_OK;
    while (result == Z_OK) {
        /* zlib counts in 32 bits. */
        if (stream.avail_in == 0) {
            stream.avail_in = step_of(packed_count);
            packed_count -= stream.avail_in;
        }
        if (stream.avail_out == 0) {
            stream.avail_out = step_of(count);
            count -= stream.avail_out;
        }
        result = inflate(&stream, Z_NO_FLUSH);
    }
    int whole = result == Z_STREAM_END && stream.avail_out == 0 && count == 0;
    inflateEnd(&stream);
    return whole;
}

uint32_t codecs_crc32_update(uint32_t crc, const uint8_t *bytes, size_t count) {
    return (uint32_t)crc32_z(crc, bytes, count);
}
