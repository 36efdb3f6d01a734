// Written by tools/make_unicode_tables.py; do not edit.

/// The classes of characters that `ftfy` 6.3 goes by.
enum MojibakeTable {
    /// The size when unpacked.
    static let byteCount = 1706

    /// A raw deflate stream in base 64.
    static let packed = """
        xVS9TsMwEJbtK6SBIUgd3AqkvgJTGfMoSGw8xcWKUMY8QiYYWGHvo/AMrCzc2Wc3DWlVKAjpPt9n348d+3JLxOzWoVX/iYrQEVpB3dON6G6gOWYt
        HB2h2oBtrBvxq2VeS0zfl/MheKnVAPORtT1wI6gkT3/tQfxbQsPQO7DYY+uDzp4pJObAqyAq3Eua5+B35YikbdglzCdf7SpkD3Mzbo/rEO2nokF8
        TmSux/e3xt9QY3ldCyZ0U0DQ4qO9P78VRr/5IJb1pdh8TMgRczo+R/RbqO04O6PaeNF1KJYLghHOBfPkq8RXSksnab2OXCdehCc9Bgem6IbQR4Le
        eOllwzZy0/viw1Bs0V+4l5/iby9mh3T2e0gh11K4blXRDy0wnXDSmvlaeJ06YgZkz4lPu1CwOaq7YkIt9J5a3DktvFE7AFRTpB+BR+Jnnl+hstwp
        lPHjs4J3g2WOJWCZxZGkwHKGpfoDmfldkqT1Fbw+mqUDbm3ZxxQ+AQ==
        """
}
