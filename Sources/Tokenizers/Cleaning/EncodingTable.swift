// Written by tools/make_unicode_tables.py; do not edit.

/// The upper half of each single-byte encoding that `ftfy` tries.
enum EncodingTable {
    /// The size when unpacked.
    static let byteCount = 2563

    /// A raw deflate stream in base 64.
    static let packed = """
        1ZXnUlRZFIVrbaprb9/qSt3yx+mXIouI5NCkpsk5Ss6xm6iSc1JAMYMzKKgw+9DDOOro/JiaqpkXuN3fWt/aJwrRiEEs4hCPBNxGIu4gCXeRjHtI
        QSrSkI4MZCIL2chBLnzIQz4KUIgi+FGMAEpQijKUowKVqEI1alCLOtSjAY1oQjNa0Ir7aEM7OtCJLnSjB73oQz8GMIghDGMEoxjDOIIIYQKTmMI0
        ZjCLB3iIR5jDPBawiCUsYwWrWMM6NrCJLWxjB7vYw2M8wT4OcIineIYjPMcLvMQrvMYbvMUxTvAOv+BXnOI9PuAM5/iIT/iMC1yi/mY08p2MCL9T
        6QScEifoaXZ2qduZp3v4TJbf5+Q5hU6RU+pkOlnOpqc0co96nAUqwgV9oP87f4zESr6zINf89TebnTvS7SRJstyVVJmXr/l9KI1ckx5nXTZlQ3Yk
        gBTZlkQpR9oNyx8tNYiTa/7bYvkTZFnSb4T55yQnclF6sSrxsiQrkibpkiGZkiXZkiO54pM8yZcCKZQi8UuxBKRESqVMyqVCKqVKqqVGaqVO6qVB
        GqVJmqVFWuW+tEm7dEindEm39Eiv9Em/DMigDMmwjMiojMm4BCUkEzIpUzItMzIrD+ShhPuPxTV/IsL9r9M+faYz+rZ/y2/736ADuqBz7T/kWfUM
        Uzni6Lr/bbrm/0iWf8MzQl/6j6cd6kU/bXkG6BMtku0/hsbQTQkUQjJNwkfTyCfbfwql0SiFyPb/iK76p9e0jrdk+39MO1gi238s7aOHbtNT3KMj
        5NELFJDtP5XSaYwmyPY/R7b/NXpD5zgm2/8TWvN867/lT0K382X/3/Pno8f5sv94TuAf+Z/tXPsfx2H+RL7DSdyLZO5HCqdyGqdzBmdyFmdzDuey
        j/M4nwu4kIvYz8Uc4BKeRxmXcwVXchVXcw3Xch3XcwM3chM3cwu38n1u43bu4E7u4m7u4V7u434e4EEe4mEe4VEe43EOcogneJKneJpneJYf8M/3
        /1f8f96/H//+/v30o/030zb9/f6L6Uf7b1EPr/m/9j/cf7Wa3fWT/pvU6+/v/6ryL//hf/A7/g/Kv0LX/Ie6mkaKUvMtv48yyPp/RjlUSh1US720
        q/6Pq/8zFOY/oWFap+fq/0fd546uqYmi1XzLn0eZZP0/p1wqo06qoz7aU/+D6v8shfnf0Qht0Av1/5Pud80T9Y/fvzgK779f/5ftf1d72dfL0aDv
        h91/PIX3P6C/axPd09wP9HJseS7+A/u3uYfUuTlNd1Nd2tWv7atPB+rSkdpkXXqlNlmXjtWjE/3Sqbp0rh5ZiwK6cNt/FUqdDn2PGrX/0sg2m4Mb
        VBv8bgv23QO3QvuPcdPdVHeI69xa3UANH6oNg+pPPfLdjIgJN8Gt02Woh7qKUfV9nhbIOmftsxa+x5T3Ujc3pq9Ut9PjRJ9GxJxGlDidarDfaXZG
        dDnDup2J37czc7Wby+OI+avJrKnyQc+mpwmrnjXPulax5dnwhDwhxTi6wt69wrbIzxT3tWLbeCZV0+AV9okin+mjaaOy0BWoupkRsacBvdNAjjVE
        CzaItFv1qnefolmgdG+GN9MbY8rNnnlsls2SeWLmzIrZMptmw6SZLNNm6k2hiTJ9ZtvsmHWzaI7Modk1j8xL89Q8M/vmwKyZVTNvFswL89z4TLJJ
        9MZ5k71p3ihvC+8gUw9dmZ65dozpmfTpkWxjvxvUo1jj7mkFB+6+G7hVcus9Jtxm5LkamXvptCLgDeA3
        """
}
