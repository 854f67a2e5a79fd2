// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/vocabulary_identity.h"

#include "core/base/sha256.h"

#include <string_view>

namespace moescope::text {

std::string vocabularyIdentity(const std::vector<std::string>& pieces) {
    Sha256 hash;
    for (const std::string& piece : pieces) {
        hash.update(piece);
        hash.update(std::string_view("\0", 1));  // no piece holds a NUL beside a byte piece
    }
    return hash.hexDigest();
}

}  // namespace moescope::text
