// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/support/oklab.h"

#include <algorithm>
#include <cmath>

namespace moescope::widgets {
namespace {

double linearised(double c) {
    return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

int encoded(double c) {
    const double clipped = std::clamp(c, 0.0, 1.0);
    const double s =
        clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * std::pow(clipped, 1 / 2.4) - 0.055;
    return static_cast<int>(std::lround(s * 255.0));
}

}  // namespace

// The matrices of https://bottosson.github.io/posts/oklab (public domain).
Oklab toOklab(const QColor& colour) {
    const double r = linearised(static_cast<double>(colour.redF()));
    const double g = linearised(static_cast<double>(colour.greenF()));
    const double b = linearised(static_cast<double>(colour.blueF()));
    const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
            1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
            0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

QColor fromOklab(const Oklab& colour) {
    const double lRoot = colour.l + 0.3963377774 * colour.a + 0.2158037573 * colour.b;
    const double mRoot = colour.l - 0.1055613458 * colour.a - 0.0638541728 * colour.b;
    const double sRoot = colour.l - 0.0894841775 * colour.a - 1.2914855480 * colour.b;
    const double l = lRoot * lRoot * lRoot;
    const double m = mRoot * mRoot * mRoot;
    const double s = sRoot * sRoot * sRoot;
    return {encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
            encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
            encoded(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

}  // namespace moescope::widgets
