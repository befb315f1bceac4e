#include "profiles/flame_graph.h"

#include <fmt/format.h>

#include <algorithm>

#include "profiles/flame_graph_page.h"
#include "profiles/frame_tree.h"

namespace cgo {
namespace {

constexpr double kWidth = 1200, kLeft = 10, kInner = kWidth - 2 * kLeft;
constexpr double kCharWidth = 7.25, kLetterRoom = 6, kNarrowest = 0.1;
constexpr int kRow = 18, kLineHeight = 17, kHeadTop = 24;

const char* class_of(StepKind kind) {
  switch (kind) {
    case StepKind::go:
      return "go";
    case StepKind::c:
      return "c";
    case StepKind::crossing:
      return "crossing";
    case StepKind::lost:
      return "lost";
    case StepKind::unclear:
      return "unclear";
    case StepKind::note:
      return "note";
  }
  return "note";
}

/// Text for XML, whose characters leave two of Unicode's out.
std::string xml_text(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const auto three = text.substr(i, 3); three == "\xef\xbf\xbe" || three == "\xef\xbf\xbf") {
      out += "\xef\xbf\xbd";
      i += 2;
    } else if (text[i] == '&') {
      out += "&amp;";
    } else if (text[i] == '<') {
      out += "&lt;";
    } else if (text[i] == '>') {
      out += "&gt;";
    } else if (text[i] == '"') {
      out += "&quot;";
    } else {
      out += text[i];
    }
  }
  return out;
}

/// As much of a name as fits; the name is UTF-8.
std::string fitting(std::string_view name, double width) {
  const auto room = static_cast<std::size_t>(std::max(0.0, width - kLetterRoom) / kCharWidth);
  if (room < 3) return {};
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; };
  if (static_cast<std::size_t>(std::ranges::count_if(name, begins)) <= room)
    return std::string(name);
  std::size_t letters = 0, bytes = 0;
  for (; bytes < name.size(); ++bytes)
    if (begins(name[bytes]) && letters++ == room - 1) break;
  return std::string(name.substr(0, bytes)) + "…";
}

/// Draws one picture.
class Picture {
 public:
  Picture(const Profile& profile, const FlameGraphOptions& options)
      : profile_(profile), weight_(options.weight), tree_(FrameTree::of(profile)) {
    total_ = tree_.nodes()[0].all.by(weight_);
    const auto least =
        static_cast<std::uint64_t>(static_cast<double>(total_) * kNarrowest / kInner);
    kept_ = tree_.largest(weight_, options.most_frames, std::max<std::uint64_t>(least, 1));
    const auto narrow =
        tree_.largest(weight_, std::min(options.most_frames, options.narrow_frames), 1);
    for (std::size_t i = 0; i < kept_.size(); ++i) kept_[i] = kept_[i] || narrow[i];
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      const FrameTree::Node& node = tree_.nodes()[i];
      if (kept_[i]) {
        depth_ = std::max(depth_, node.depth);
      } else if (node.all.by(weight_) != 0) {
        ++left_out_;
        widest_left_out_ = std::max(widest_left_out_, node.all.by(weight_));
      }
    }
  }

  std::string draw() {
    std::string head_text = head();
    std::string rows = frames();
    y_ += static_cast<int>(depth_ + 1) * kRow + kLineHeight;
    std::string foot = left_out_text();
    return fmt::format(
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"{0}\" "
               "height=\"{1}\" viewBox=\"0 0 {0} {1}\" data-left=\"{2}\" data-width=\"{3}\" "
               "data-char-width=\"{4}\" data-unit=\"{5}\">\n",
               kWidth, y_, kLeft, kInner, kCharWidth, unit()) +
           "<style>" + kFlameGraphStyle + "</style>\n" + head_text + rows + foot +
           "<script><![CDATA[" + kFlameGraphScript + "]]></script>\n</svg>\n";
  }

 private:
  const char* unit() const { return weight_ == Weight::bytes ? "bytes" : "blocks"; }

  std::string line(std::string_view text, std::string_view style) {
    const std::string out = fmt::format("<text x=\"{}\" y=\"{}\" class=\"{}\">{}</text>\n", kLeft,
                                        y_, style, xml_text(text));
    y_ += kLineHeight;
    return out;
  }

  std::string legend() {
    std::string out;
    double x = kLeft;
    for (const auto& [kind, words] : profile_.legend) {
      out += fmt::format(
          "<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"12\" class=\"{}\"/>"
          "<text x=\"{}\" y=\"{}\" class=\"small\">{}</text>\n",
          x, y_ - 10, class_of(kind), x + 17, y_, xml_text(words));
      x += 17 + static_cast<double>(words.size()) * kCharWidth + kLineHeight;
    }
    y_ += kLineHeight;
    return out;
  }

  std::string head() {
    y_ = kHeadTop;
    std::string out = fmt::format(
        "<text id=\"search\" class=\"button\" x=\"{0}\" y=\"{1}\" "
        "text-anchor=\"end\">Search</text>\n"
        "<text id=\"reset\" class=\"button\" x=\"{2}\" y=\"{1}\" text-anchor=\"end\" "
        "style=\"display:none\">Whole graph</text>\n",
        kWidth - kLeft, y_, kWidth - kLeft - 70);
    out += line(profile_.title, "title");
    const FrameTree::Sum& all = tree_.nodes()[0].all;
    out += line(fmt::format("{} block{}, {} bytes; widths are {}", all.blocks,
                            all.blocks == 1 ? "" : "s", all.bytes, unit()),
                "");
    for (const std::string& note : profile_.notes) out += line(note, "small");
    out += legend();
    out += fmt::format(
        "<text id=\"info\" x=\"{0}\" y=\"{2}\"></text>"
        "<text id=\"matched\" x=\"{1}\" y=\"{2}\" text-anchor=\"end\"></text>\n",
        kLeft, kWidth - kLeft, y_);
    y_ += kLineHeight / 2;
    return out;
  }

  std::string frames() {
    if (total_ == 0) return {};
    const std::vector<std::uint64_t> starts = tree_.starts(profile_, weight_);
    std::string out;
    for (std::size_t i = 0; i < kept_.size(); ++i)
      if (kept_[i]) append_frame(out, tree_.nodes()[i], starts[i], i == 0);
    return out;
  }

  void append_frame(std::string& out, const FrameTree::Node& node, std::uint64_t start,
                    bool everything) {
    const std::string name = everything ? "all" : profile_.functions[node.function].name;
    const StepKind kind = everything ? StepKind::note : profile_.functions[node.function].kind;
    const std::uint64_t weight = node.all.by(weight_);
    const double all = static_cast<double>(total_);
    const double x = kLeft + static_cast<double>(start) / all * kInner;
    const double width = static_cast<double>(weight) / all * kInner;
    const int y = y_ + static_cast<int>(node.depth) * kRow;
    fmt::format_to(
        std::back_inserter(out),
        "<g class=\"frame\" data-start=\"{}\" data-weight=\"{}\" data-depth=\"{}\">"
        "<title>{} ({} block{}, {} bytes, {:.2f}%)</title>"
        "<rect class=\"{}\" x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" height=\"{}\" rx=\"1\"/>"
        "<text x=\"{:.2f}\" y=\"{}\">{}</text></g>\n",
        start, weight, node.depth, xml_text(name), node.all.blocks, node.all.blocks == 1 ? "" : "s",
        node.all.bytes, 100 * static_cast<double>(weight) / all, class_of(kind), x, y, width,
        kRow - 1, x + 3, y + kRow - 5, xml_text(fitting(name, width)));
  }

  std::string left_out_text() {
    if (left_out_ == 0) return {};
    return line(fmt::format("{} frame{} too narrow to see {} left out: {} {} at most each",
                            left_out_, left_out_ == 1 ? "" : "s", left_out_ == 1 ? "is" : "are",
                            widest_left_out_, unit()),
                "small");
  }

  const Profile& profile_;
  Weight weight_;
  FrameTree tree_;
  std::vector<bool> kept_;
  std::uint64_t total_ = 0, left_out_ = 0, widest_left_out_ = 0;
  std::uint32_t depth_ = 0;
  int y_ = 0;
};

}  // namespace

std::string flame_graph(const Profile& profile, const FlameGraphOptions& options) {
  return Picture(profile, options).draw();
}

}  // namespace cgo
