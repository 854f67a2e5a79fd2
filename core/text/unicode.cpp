// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/text/unicode.h"

#include "core/base/error.h"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

namespace moescope::text {
namespace {

void requireSuccess(UErrorCode status) {
    if (U_FAILURE(status) != 0) {
        throw Error(ErrorCode::Internal,
                    fmt::format("Unicode normalisation failed: {}. Is ICU's data installed?",
                                u_errorName(status)));
    }
}

const icu::Normalizer2& normalizerFor(NormalForm form) {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* normalizer = nullptr;
    switch (form) {
        case NormalForm::Nfc:
            normalizer = icu::Normalizer2::getNFCInstance(status);
            break;
        case NormalForm::Nfd:
            normalizer = icu::Normalizer2::getNFDInstance(status);
            break;
        case NormalForm::Nfkc:
            normalizer = icu::Normalizer2::getNFKCInstance(status);
            break;
        case NormalForm::Nfkd:
            normalizer = icu::Normalizer2::getNFKDInstance(status);
            break;
    }
    requireSuccess(status);
    return *normalizer;
}

UChar32 signedPoint(char32_t codePoint) {
    return static_cast<UChar32>(codePoint);
}

}  // namespace

bool isWhiteSpace(char32_t codePoint) noexcept {
    return u_isUWhiteSpace(signedPoint(codePoint)) != 0;
}

bool isWordCharacter(char32_t codePoint) noexcept {
    constexpr std::uint32_t kMarksDigitsConnectors = U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK;
    const UChar32 c = signedPoint(codePoint);
    return u_isUAlphabetic(c) != 0 || (U_GET_GC_MASK(c) & kMarksDigitsConnectors) != 0 ||
           u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL) != 0;
}

bool isInvisible(char32_t codePoint) noexcept {
    constexpr std::uint32_t kUnseen = U_GC_C_MASK | U_GC_ZL_MASK | U_GC_ZP_MASK | U_GC_ZS_MASK;
    return codePoint != U' ' && (U_GET_GC_MASK(signedPoint(codePoint)) & kUnseen) != 0;
}

std::string toNormalForm(std::string_view text, NormalForm form) {
    const icu::Normalizer2& normalizer = normalizerFor(form);
    const icu::StringPiece piece(text.data(), static_cast<std::int32_t>(text.size()));
    UErrorCode status = U_ZERO_ERROR;
    std::string out;
    icu::StringByteSink<std::string> sink(&out, piece.length());
    normalizer.normalizeUTF8(0, piece, sink, nullptr, status);
    requireSuccess(status);
    return out;
}

std::string toUpper(std::string_view text) {
    std::string out;
    icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())})
        .toUpper(icu::Locale::getRoot())
        .toUTF8String(out);
    return out;
}

std::string toLower(std::string_view text) {
    std::string out;
    icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())})
        .toLower(icu::Locale::getRoot())
        .toUTF8String(out);
    return out;
}

}  // namespace moescope::text
