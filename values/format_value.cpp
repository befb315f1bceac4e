#include "values/format_value.h"

#include <fmt/format.h>

#include <iterator>

#include "unwind/format.h"
#include "values/quote.h"

namespace cgo {
namespace {

/// What a value is without its children: "" where they say it all.
std::string head_of(const Value& value) {
  if (value.error && value.children.empty()) return "<" + value.error->message + ">";
  if (!value.summary.empty()) return value.summary;
  return value.text;
}

/// One line, given up when it gets longer than asked for.
class InlineWriter {
 public:
  explicit InlineWriter(std::size_t columns) : columns_(columns) {}

  /// `nested`: what `value` has notes of is said nowhere else.
  void write(const Value& value, bool nested = true) {
    if (full()) return;
    write_shape(value);
    if (value.error && !value.children.empty()) out_ += " <" + value.error->message + ">";
    if (nested) mark_notes(value);
  }

  /// Nothing when it did not fit.
  std::string cut() && {
    if (out_.size() <= columns_) return std::move(out_);
    out_.resize(columns_ < 1 ? 0 : columns_ - 1);
    out_.resize(whole_characters(out_));
    return std::move(out_) + "…";
  }
  bool full() const { return out_.size() > columns_; }
  /// Whether something odd of a part would be left unsaid.
  bool has_odd_part() const { return has_odd_part_; }
  const std::string& text() const { return out_; }

 private:
  void write_shape(const Value& value) {
    switch (value.shape) {
      case Value::Shape::scalar:
        out_ += head_of(value);
        break;
      case Value::Shape::pointer:
        write_pointer(value);
        break;
      case Value::Shape::interface:
        write_interface(value);
        break;
      case Value::Shape::fields:
        write_fields(value);
        break;
      case Value::Shape::elements:
      case Value::Shape::entries:
        write_elements(value);
        break;
    }
  }
  void mark_notes(const Value& value) {
    for (const std::string& note : value.notes) {
      if (!note.starts_with("cut"))
        has_odd_part_ = true;
      else if (value.shape == Value::Shape::scalar || value.shape == Value::Shape::pointer)
        out_ += "…";
    }
  }
  void write_pointer(const Value& value) {
    if (value.children.empty() || value.error || !value.summary.empty()) {
      out_ += head_of(value);
      return;
    }
    out_ += value.text + " → ";
    write(value.children.front());
  }
  void write_interface(const Value& value) {
    if (value.children.empty() || value.error || !value.summary.empty()) {
      out_ += head_of(value);
      return;
    }
    const Value& held = value.children.front();
    out_ += held.type_name + "(";
    write(held);
    out_ += ")";
  }
  void write_fields(const Value& value) {
    out_ += head_of(value);
    if (!value.summary.empty() || (value.error && value.children.empty())) return;
    if (value.children.empty() && !value.text.empty()) return;
    out_ += value.text.empty() ? "{" : " {";
    if (value.children.empty() && !value.notes.empty()) out_ += "…";
    write_list(value, true);
    out_ += "}";
  }
  void write_elements(const Value& value) {
    out_ += head_of(value);
    if (!value.summary.empty() || value.text == "nil") return;
    if (value.error && value.children.empty()) return;
    const bool cut = value.children.empty() && value.length.value_or(0) != 0;
    if (value.children.empty() && !value.text.empty() && !cut) return;
    out_ += value.text.empty() ? "{" : " {";
    if (cut) out_ += "…";
    write_list(value, value.shape == Value::Shape::entries);
    if (!cut && value.length && value.children.size() < *value.length) out_ += ", …";
    out_ += "}";
  }
  void write_list(const Value& value, bool named) {
    bool first = true;
    for (const Value& child : value.children) {
      if (full()) return;
      if (!first) out_ += ", ";
      first = false;
      if (named && !child.name.empty()) out_ += child.name + ": ";
      write(child);
    }
  }

  std::size_t columns_;
  std::string out_;
  bool has_odd_part_ = false;
};

class TextWriter {
 public:
  explicit TextWriter(std::size_t columns) : columns_(columns) {}

  void write(const Value& value, unsigned depth) {
    const std::string indent(2 * depth, ' ');
    const std::string name = escaped(value.name);
    out_ += indent + name;
    if (depth == 0 || value.name == "*")
      out_ += (name.empty() ? "" : " ") + escaped(value.type_name);
    out_ += out_.empty() || out_.back() == '\n' ? "" : " = ";
    const std::size_t used = indent.size() + name.size() + value.type_name.size() + 4;
    InlineWriter line(columns_ > used + 20 ? columns_ - used : 20);
    line.write(value, false);
    const bool whole = !line.full() && !line.has_odd_part();
    if (whole || value.children.empty()) {
      out_ += escaped(value.children.empty() ? head_or(line, value) : line.text());
      write_notes(value);
      out_ += '\n';
      return;
    }
    out_ += escaped(head_of(value));
    if (value.error) out_ += " <" + escaped(value.error->message) + ">";
    write_notes(value);
    out_ += '\n';
    write_children(value, depth);
  }

  std::string take() && { return std::move(out_); }

 private:
  static std::string head_or(const InlineWriter& line, const Value& value) {
    const std::string head = head_of(value);
    return head.empty() ? line.text() : head;
  }

  void write_notes(const Value& value) {
    for (const std::string& note : value.notes) out_ += "  «" + escaped(note) + "»";
  }
  void write_children(const Value& value, unsigned depth) {
    for (const Value& child : value.children) write(child, depth + 1);
  }

  std::size_t columns_;
  std::string out_;
};

void append_json(std::string& out, const Value& value);

void append_string(std::string& out, std::string_view key, std::string_view text) {
  out += "\"";
  out += key;
  out += "\":\"";
  append_json_text(out, text);
  out += '"';
}

std::string_view shape_name(Value::Shape shape) {
  switch (shape) {
    case Value::Shape::scalar:
      return "scalar";
    case Value::Shape::pointer:
      return "pointer";
    case Value::Shape::fields:
      return "fields";
    case Value::Shape::elements:
      return "elements";
    case Value::Shape::entries:
      return "entries";
    case Value::Shape::interface:
      return "interface";
  }
  return "scalar";
}

void append_list(std::string& out, std::string_view key, const std::vector<std::string>& list) {
  out += ",\"";
  out += key;
  out += "\":[";
  for (std::size_t i = 0; i < list.size(); ++i) {
    out += i == 0 ? "\"" : ",\"";
    append_json_text(out, list[i]);
    out += '"';
  }
  out += ']';
}

void append_description(std::string& out, const AddressDescription& what) {
  out += ",\"points_to\":{";
  append_string(out, "kind", name_of(what.kind));
  out += ',';
  append_string(out, "text", what.text);
  auto to = std::back_inserter(out);
  if (what.base) {
    fmt::format_to(to, ",\"base\":\"0x{:x}\"", what.base.value);
    if (what.bytes != 0) fmt::format_to(to, ",\"bytes\":{}", what.bytes);
    if (what.address >= what.base)
      fmt::format_to(to, ",\"offset\":{}", what.address.value - what.base.value);
  }
  if (what.goroutine) fmt::format_to(to, ",\"goroutine\":{}", *what.goroutine);
  if (what.thread) fmt::format_to(to, ",\"thread\":{}", *what.thread);
  out += '}';
}

void append_children(std::string& out, const Value& value) {
  out += ",\"children\":[";
  for (std::size_t i = 0; i < value.children.size(); ++i) {
    if (i != 0) out += ',';
    append_json(out, value.children[i]);
    if (i >= value.keys.size()) continue;
    out.back() = ',';  // The object goes on with its key.
    out += "\"key\":";
    append_json(out, value.keys[i]);
    out += '}';
  }
  out += ']';
}

void append_json(std::string& out, const Value& value) {
  out += '{';
  append_string(out, "name", value.name);
  out += ',';
  append_string(out, "type", value.type_name);
  if (value.datum.address)
    fmt::format_to(std::back_inserter(out), ",\"address\":\"0x{:x}\"", value.datum.address->value);
  else
    out += ",\"address\":null";
  out += ',';
  append_string(out, "value", value.text);
  out += ',';
  append_string(out, "shape", shape_name(value.shape));
  if (!value.summary.empty()) {
    out += ',';
    append_string(out, "summary", value.summary);
  }
  if (value.length) fmt::format_to(std::back_inserter(out), ",\"length\":{}", *value.length);
  if (!value.children.empty()) append_children(out, value);
  if (value.points_to) append_description(out, *value.points_to);
  if (!value.notes.empty()) append_list(out, "notes", value.notes);
  if (value.error) {
    out += ',';
    append_string(out, "error", value.error->message);
  }
  out += '}';
}

}  // namespace

std::string format_inline(const Value& value, std::size_t columns) {
  InlineWriter writer(columns);
  writer.write(value);
  return std::move(writer).cut();
}

std::string format_text(const Value& value, std::size_t columns) {
  TextWriter writer(columns);
  writer.write(value, 0);
  return std::move(writer).take();
}

std::string format_json(const Value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

}  // namespace cgo
