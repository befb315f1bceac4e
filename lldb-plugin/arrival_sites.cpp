#include "lldb-plugin/arrival_sites.h"

#include <array>

#include "crossings/machine_code.h"
#include "lldb-plugin/lldb_image.h"

namespace cgo {
namespace {

constexpr unsigned kLeastBetween = 2, kMostBetween = 4;

}  // namespace

ArrivalSite arrival_site(ByteView code, std::uint64_t entry) {
  ArrivalSite out{.arrival = entry};
  unsigned count = 0;
  decode_amd64(code, {entry}, [&](const Instruction& one) {
    if (one.kind == Instruction::Kind::jump || one.kind == Instruction::Kind::slot || one.calls ||
        !one.falls_through)
      return false;
    if (++count >= kLeastBetween) out.passed = one.end().value;
    return count < kMostBetween;
  });
  return out;
}

ArrivalSite arrival_site(lldb::SBAddress entry) {
  constexpr std::uint64_t kBeginning = 64;
  std::array<std::byte, kBeginning> code{};
  lldb::SBError error;
  lldb::SBData data = entry.GetSection().GetSectionData(entry.GetOffset(), code.size());
  const std::size_t bytes =
      data.IsValid() ? std::min<std::size_t>(data.GetByteSize(), code.size()) : 0;
  if (bytes == 0 || data.ReadRawData(error, 0, code.data(), bytes) != bytes)
    return {.arrival = entry.GetFileAddress()};
  return arrival_site(ByteView(code).first(bytes), entry.GetFileAddress());
}

std::vector<std::uint64_t> ArrivalSites::set(lldb::SBModule module,
                                             std::vector<ArrivalSite> sites) {
  std::vector<std::uint64_t> out;
  for (const ArrivalSite& site : sites) {
    out.push_back(site.arrival);
    if (site.passed != 0) out.push_back(site.passed);
  }
  if (sites.empty())
    sites_.erase(path_of(module));
  else
    sites_[path_of(module)] = std::move(sites);
  return out;
}

bool ArrivalSites::is_new(lldb::SBFrame frame, std::uint64_t who) {
  lldb::SBAddress address = frame.GetPCAddress();
  const auto sites = sites_.find(path_of(address.GetModule()));
  if (sites == sites_.end()) return true;
  for (const ArrivalSite& site : sites->second) {
    if (site.passed != 0 && site.passed == address.GetFileAddress()) {
      begun_.erase(who);
      return false;
    }
    if (site.arrival != address.GetFileAddress()) continue;
    if (site.passed == 0) return true;
    const Begun now{frame.GetPC(), frame.GetSP()};
    const auto [known, added] = begun_.try_emplace(who, now);
    if (!added && known->second == now) return false;
    known->second = now;
    return true;
  }
  return true;
}

}  // namespace cgo
