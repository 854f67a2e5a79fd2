// SPDX-FileCopyrightText: 2026 The Moescope authors
// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/models/summary_text.h"

#include "widgets/support/format.h"

#include <QCoreApplication>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QStringList>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace moescope::widgets {
namespace {

QString tr(const char* text, int count = -1) {
    return QCoreApplication::translate("moescope::widgets::SummaryText", text, nullptr, count);
}

QString fromUtf8(const std::string& text) {
    return QString::fromStdString(text);
}

QString counted(std::uint64_t count, const char* one, const char* many) {
    return formatCount(count) + QLatin1Char(' ') + tr(count == 1 ? one : many);
}

/// "8" when all routed layers agree, else "8 to 64"; empty without routed layers.
template <typename Member>
QString rangeOf(const session::ModelSummary& model, Member member) {
    int low = 0;
    int high = 0;
    bool any = false;
    for (const session::LayerSummary& layer : model.layers) {
        if (layer.isRouted()) {
            low = any ? std::min(low, layer.*member) : layer.*member;
            high = any ? std::max(high, layer.*member) : layer.*member;
            any = true;
        }
    }
    if (!any) {
        return {};
    }
    return low == high ? QString::number(low) : tr("%1 to %2").arg(low).arg(high);
}

qsizetype routedLayers(const session::ModelSummary& model) {
    return std::count_if(model.layers.begin(), model.layers.end(),
                         [](const session::LayerSummary& layer) { return layer.isRouted(); });
}

void add(Properties& card, const QString& name, const QString& value) {
    if (!value.isEmpty()) {
        card.append({name, value});
    }
}

void addModel(Properties& card, const session::ModelSummary& model) {
    using session::LayerSummary;
    add(card, tr("Family"), fromUtf8(model.familyTitle));
    const auto layers = static_cast<qsizetype>(model.layers.size());
    const qsizetype routed = routedLayers(model);
    add(card, tr("Layers"),
        routed == layers ? QString::number(layers)
                         : tr("%1, %2 of them routed").arg(layers).arg(routed));
    add(card, tr("Routed experts"), rangeOf(model, &LayerSummary::experts));
    add(card, tr("Chosen per token"), rangeOf(model, &LayerSummary::topK));
    const QString shared = rangeOf(model, &LayerSummary::sharedExperts);
    add(card, tr("Shared experts"), shared == QLatin1String("0") ? QString() : shared);
    add(card, tr("Hidden size"), QString::number(model.hiddenSize));
    add(card, tr("Expert width"), rangeOf(model, &LayerSummary::intermediateSize));
    add(card, tr("Vocabulary"), formatCount(static_cast<std::uint64_t>(model.vocabSize)));
    add(card, tr("Tokenizer"), fromUtf8(model.tokenizerDescription));
    add(card, tr("Stored as"), fromUtf8(model.storedDtype));
}

void addRun(Properties& card, const session::RunSummary& run) {
    add(card, tr("Computed in"), fromUtf8(run.dtype));
    add(card, tr("Device"), fromUtf8(run.device));
    add(card, tr("Engine"), fromUtf8(run.engineDescription));
    add(card, tr("Created"), fromUtf8(run.createdUtc));
    add(card, tr("Program"), fromUtf8(run.programVersion));
}

QString nameOfKey(const QString& key) {
    QString name = key;
    name.replace(QLatin1Char('_'), QLatin1Char(' '));
    if (!name.isEmpty()) {
        name[0] = name[0].toUpper();
    }
    return name;
}

QString scalarText(const QJsonValue& value) {
    if (value.isDouble()) {
        const double number = value.toDouble();
        const bool whole = number >= 0 && number < 1e18 &&
                           number == static_cast<double>(static_cast<std::uint64_t>(number));
        return whole ? formatCount(static_cast<std::uint64_t>(number)) : formatValue(number);
    }
    if (value.isBool()) {
        return value.toBool() ? tr("yes") : tr("no");
    }
    return value.toString();
}

/// Of a model card: what people want first, in this order, with the names they know.
constexpr std::array<std::pair<const char*, const char*>, 15> kCardOrder{{
    {"unsupported", QT_TRANSLATE_NOOP("moescope::widgets::SummaryText", "Cannot be run")},
    {"family_title", QT_TRANSLATE_NOOP("moescope::widgets::SummaryText", "Family")},
    {"layer_count", QT_TRANSLATE_NOOP("moescope::widgets::SummaryText", "Layers")},
    {"experts", QT_TRANSLATE_NOOP("moescope::widgets::SummaryText", "Experts")},
    {"router", QT_TRANSLATE_NOOP("moescope::widgets::SummaryText", "Router")},
    {"hidden_size", QT_TRANSLATE_NOOP("moescope::widgets::SummaryText", "Hidden size")},
    {"attention", QT_TRANSLATE_NOOP("moescope::widgets::SummaryText", "Attention")},
    {"positions", QT_TRANSLATE_NOOP("moescope::widgets::SummaryText", "Positions")},
    {"norm", QT_TRANSLATE_NOOP("moescope::widgets::SummaryText", "Norm")},
    {"vocabulary_size", QT_TRANSLATE_NOOP("moescope::widgets::SummaryText", "Vocabulary")},
    {"tokenizer", QT_TRANSLATE_NOOP("moescope::widgets::SummaryText", "Tokenizer")},
    {"stored_dtype", QT_TRANSLATE_NOOP("moescope::widgets::SummaryText", "Stored as")},
    {"architecture", QT_TRANSLATE_NOOP("moescope::widgets::SummaryText", "Architecture")},
    {"notes", QT_TRANSLATE_NOOP("moescope::widgets::SummaryText", "Notes")},
    {"folder", QT_TRANSLATE_NOOP("moescope::widgets::SummaryText", "Folder")},
}};

/// "softmax over 8, top 2, renormalised": the descriptions of a list, one after the other.
QString descriptions(const QJsonArray& array) {
    QStringList parts;
    for (const QJsonValue element : array) {
        parts << (element.isObject()
                      ? element.toObject().value(QStringLiteral("description")).toString()
                      : scalarText(element));
    }
    parts.removeAll(QString());
    return parts.join(QStringLiteral("; "));
}

void addCheckpoint(Properties& card, const QJsonObject& object) {
    for (const auto& [key, name] : kCardOrder) {
        const QJsonValue value = object.value(QLatin1String(key));
        add(card, tr(name), value.isArray() ? descriptions(value.toArray()) : scalarText(value));
    }
    const QJsonObject parameters = object.value(QStringLiteral("parameters")).toObject();
    const double total = parameters.value(QStringLiteral("total")).toDouble();
    if (total > 0) {
        card.insert(
            std::min<qsizetype>(1, card.size()),
            {tr("Parameters"),
             tr("%1, active per token %2")
                 .arg(formatShortCount(total),
                      formatShortCount(parameters.value(QStringLiteral("active")).toDouble()))});
    }
}

/// A folder of checkpoints: their names, for the user to choose one.
void addFolder(Properties& card, const QJsonArray& checkpoints) {
    for (const QJsonValue element : checkpoints) {
        const QJsonObject checkpoint = element.toObject();
        add(card, checkpoint.value(QStringLiteral("name")).toString(),
            checkpoint.value(QStringLiteral("folder")).toString());
    }
}

void addJson(Properties& card, const QString& prefix, const QJsonValue& value) {
    if (value.isObject()) {
        const QJsonObject object = value.toObject();
        for (auto it = object.begin(); it != object.end(); ++it) {
            const QString name = nameOfKey(it.key());
            addJson(card, prefix.isEmpty() ? name : prefix + QStringLiteral(", ") + name.toLower(),
                    it.value());
        }
        return;
    }
    if (value.isArray()) {
        QStringList parts;
        const QJsonArray array = value.toArray();
        for (const QJsonValue element : array) {
            if (element.isObject() || element.isArray()) {
                add(card, prefix, QString::number(array.size()));
                return;
            }
            parts << scalarText(element);
        }
        add(card, prefix, parts.join(QStringLiteral(", ")));
        return;
    }
    add(card, prefix, scalarText(value));
}

}  // namespace

QString modelLine(const session::ModelSummary& model) {
    const QString layers = counted(model.layers.size(), "layer", "layers");
    const QString experts = rangeOf(model, &session::LayerSummary::experts);
    if (experts.isEmpty()) {
        return tr("%1, dense").arg(layers);
    }
    return tr("%1, %2 experts, top-%3")
        .arg(layers, experts, rangeOf(model, &session::LayerSummary::topK));
}

QString modelToolTip(const session::ModelSummary& model) {
    return tr("%1 (%2), hidden size %3")
        .arg(fromUtf8(model.name), fromUtf8(model.familyTitle))
        .arg(model.hiddenSize);
}

QString textLine(const text::TokenizedCorpus& corpus) {
    if (corpus.tokenCount() == 0) {
        return tr("No text: weights only");
    }
    QString line = counted(corpus.documentCount(), "document", "documents") + QStringLiteral(", ") +
                   counted(corpus.tokenCount(), "token", "tokens");
    if (!corpus.domains.empty()) {
        line += QStringLiteral(", ") + counted(corpus.domains.size(), "domain", "domains");
    }
    return line;
}

QString layerLine(const session::ModelSummary& model, LayerId layer) {
    const auto at = static_cast<std::size_t>(layer.value);
    if (layer.value < 0 || at >= model.layers.size()) {
        return {};
    }
    const session::LayerSummary& summary = model.layers[at];
    return summary.isRouted() ? tr("%1 experts, top-%2").arg(summary.experts).arg(summary.topK)
                              : tr("Layer %1 is dense: no router").arg(layer.value);
}

QString fixedText(double value, int digits) {
    return std::isnan(value) ? QString() : QString::number(value, 'f', digits);
}

Properties modelCard(const session::Head& head) {
    Properties card;
    addModel(card, head.model);
    QStringList baselines;
    for (const session::ModelSummary& baseline : head.baselines) {
        baselines << fromUtf8(baseline.name);
    }
    add(card, tr("Baselines"), baselines.join(QStringLiteral(", ")));
    add(card, tr("Text"), textLine(head.corpus));
    addRun(card, head.run);
    return card;
}

Properties cardOfJson(const QByteArray& json) {
    Properties card;
    const QJsonDocument document = QJsonDocument::fromJson(json);
    const QJsonObject object = document.object();
    const QString kind = object.value(QStringLiteral("kind")).toString();
    if (kind == QLatin1String("checkpoint")) {
        addCheckpoint(card, object);
    } else if (object.contains(QStringLiteral("checkpoints"))) {
        addFolder(card, object.value(QStringLiteral("checkpoints")).toArray());
    } else {
        addJson(card, {}, object);
    }
    return card;
}

}  // namespace moescope::widgets
