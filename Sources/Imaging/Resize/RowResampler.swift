import CKernels

/// The horizontal pass over rows, with weights laid out once for all.
@safe struct RowResampler: ~Copyable {
    private let resampler: OpaquePointer
    private let outputStride: Int

    /// A resampler of rows with `channels` bytes per pixel.
    init(_ taps: ResampleTaps, channels: Int) {
        let width = taps.starts.count
        var made: OpaquePointer?
        unsafe taps.withKernelTaps { taps in
            unsafe made = vit_make_row_resampler(Int32(channels), taps, width)
        }
        guard let made = unsafe made else { preconditionFailure("RowResampler: no memory for \(width) columns") }
        unsafe resampler = made
        outputStride = width * channels
    }

    deinit { unsafe vit_free_row_resampler(resampler) }

    /// Resamples `count` rows that begin `stride` bytes apart; the results are contiguous.
    func resample(
        _ rows: UnsafePointer<UInt8>, stride: Int, count: Int, into output: UnsafeMutablePointer<UInt8>
    ) {
        unsafe vit_resample_rows(resampler, rows, stride, count, output, outputStride)
    }
}
