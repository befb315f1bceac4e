#include "profiles/pprof.h"

#include <zlib.h>

#include <algorithm>
#include <unordered_map>

namespace cgo {
namespace {

/// Numbers of fields. Source: github.com/google/pprof, proto/profile.proto.
namespace field {
constexpr unsigned kSampleType = 1, kSample = 2, kMapping = 3, kLocation = 4, kFunction = 5,
                   kStrings = 6, kPeriodType = 11, kPeriod = 12, kComment = 13, kDefaultType = 14;
}

constexpr char kRetained[] =
    "retained_space counts a block with all that only it leads to; what another block retains is "
    "not "
    "counted again.";

/// Appends fields of one protocol buffers message.
class Message {
 public:
  void number(unsigned field, std::uint64_t value) {
    if (value == 0) return;
    varint(field << 3);
    varint(value);
  }
  void bytes(unsigned field, std::string_view value) {
    varint(field << 3 | 2);
    varint(value.size());
    out_ += value;
  }
  void message(unsigned field, const Message& value) { bytes(field, value.out_); }
  /// Repeated numbers, packed.
  void numbers(unsigned field, const std::vector<std::uint64_t>& values) {
    Message packed;
    for (const std::uint64_t value : values) packed.varint(value);
    message(field, packed);
  }
  std::string take() { return std::move(out_); }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
    out_ += static_cast<char>(value);
  }

  std::string out_;
};

class PprofWriter {
 public:
  explicit PprofWriter(const Profile& profile) : profile_(profile) { text(""); }

  std::string write() {
    value_type(field::kSampleType, "inuse_objects", "count");
    value_type(field::kSampleType, "inuse_space", "bytes");
    value_type(field::kSampleType, "retained_space", "bytes");
    for (const Profile::Sample& sample : profile_.samples) add(sample);
    for (std::size_t i = 0; i < profile_.mappings.size(); ++i) add(profile_.mappings[i], i + 1);
    for (std::size_t i = 0; i < profile_.places.size(); ++i) add(profile_.places[i], i + 1);
    for (std::size_t i = 0; i < profile_.functions.size(); ++i) add(profile_.functions[i], i + 1);
    value_type(field::kPeriodType, "space", "bytes");
    out_.number(field::kPeriod, 1);
    std::vector<std::uint64_t> comments{text(profile_.title)};
    for (const std::string& note : profile_.notes) comments.push_back(text(note));
    comments.push_back(text(kRetained));
    out_.numbers(field::kComment, comments);
    out_.number(field::kDefaultType, text("inuse_space"));
    for (const std::string& one : strings_) out_.bytes(field::kStrings, one);
    return out_.take();
  }

 private:
  /// The index of a text in the table of them.
  std::uint64_t text(const std::string& value) {
    const auto [found, fresh] = numbers_.try_emplace(value, strings_.size());
    if (fresh) strings_.push_back(value);
    return found->second;
  }

  void value_type(unsigned which, const std::string& type, const std::string& unit) {
    Message out;
    out.number(1, text(type));
    out.number(2, text(unit));
    out_.message(which, out);
  }

  void add(const Profile::Sample& sample) {
    Message out;
    std::vector<std::uint64_t> locations;
    for (const std::uint32_t place : profile_.stacks[sample.stack])
      locations.push_back(std::uint64_t{place} + 1);
    out.numbers(1, locations);
    out.numbers(2, {sample.blocks, sample.bytes, sample.retained_bytes});
    for (const auto& [name, value] : profile_.labels[sample.labels]) {
      Message label;
      label.number(1, text(name));
      label.number(2, text(value));
      out.message(3, label);
    }
    out_.message(field::kSample, out);
  }

  void add(const Profile::Mapping& mapping, std::size_t id) {
    Message out;
    out.number(1, id);
    out.number(2, mapping.range.begin.value);
    out.number(3, mapping.range.end.value);
    out.number(4, mapping.file_offset);
    out.number(5, text(mapping.file));
    out.number(6, text(mapping.build_id));
    // It has functions, file names, lines and inlined frames: nobody need look for them again.
    for (unsigned has = 7; has <= 10; ++has) out.number(has, 1);
    out_.message(field::kMapping, out);
  }

  void add(const Profile::Place& place, std::size_t id) {
    Message out;
    out.number(1, id);
    out.number(2, place.mapping);
    out.number(3, place.pc.value);
    for (const Profile::Line& line : place.lines) {
      Message one;
      one.number(1, std::uint64_t{line.function} + 1);
      one.number(2, line.line);
      out.message(4, one);
    }
    out_.message(field::kLocation, out);
  }

  void add(const Profile::Function& function, std::size_t id) {
    Message out;
    out.number(1, id);
    out.number(2, text(function.name));
    out.number(3, text(function.name));
    out.number(4, text(function.file));
    out_.message(field::kFunction, out);
  }

  const Profile& profile_;
  Message out_;
  std::vector<std::string> strings_;
  std::unordered_map<std::string, std::uint64_t> numbers_;
};

/// Ends the deflate state however the function leaves.
struct Deflater {
  static constexpr int kGzip = 15 + 16, kMemory = 8;
  z_stream stream{};
  bool ready = deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, kMemory,
                            Z_DEFAULT_STRATEGY) == Z_OK;
  ~Deflater() {
    if (ready) deflateEnd(&stream);
  }
};

Result<std::string> gzip(std::string_view bytes) {
  constexpr std::size_t kPiece = 1 << 20;
  Deflater deflater;
  if (!deflater.ready) return Error{ErrorCode::limit_reached, "zlib could not start"};
  z_stream& stream = deflater.stream;
  std::string out, piece(kPiece, '\0');
  for (int state = Z_OK; state != Z_STREAM_END;) {
    if (stream.avail_in == 0) {
      const std::string_view next = bytes.substr(0, kPiece);
      bytes.remove_prefix(next.size());
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(next.data()));
      stream.avail_in = static_cast<uInt>(next.size());
    }
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    state = deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
    if (state != Z_OK && state != Z_STREAM_END)
      return Error{ErrorCode::limit_reached, "zlib failed to compress"};
    out.append(piece, 0, piece.size() - stream.avail_out);
  }
  return out;
}

}  // namespace

std::string pprof_message(const Profile& profile) { return PprofWriter(profile).write(); }

Result<std::string> pprof_file(const Profile& profile) { return gzip(pprof_message(profile)); }

}  // namespace cgo
