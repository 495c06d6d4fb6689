// Watches a board over many WebSockets, checks every stream by replaying it, and says how soon what
// is submitted meanwhile is seen. One thread, epoll: a frame that all get is taken apart once.
//
//   standings_watchers --port 8420 --board b --watchers 10000 --seconds 10
//       --submissions 100 --key st_sk_...
//
// A stream is wrong when a delta does not follow from the rows that its socket has, when the rows
// are none that the view can have, or not those that another socket has at the same seq; and when
// after the last submission somebody does not get to its seq. That ends the run with status 1.
//
// Says when all are watching, when it begins to measure, and with --restart when all are back.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clients.h"
#include "crowd.h"
#include "poll.h"
#include "process.h"
#include "settings.h"
#include "traffic.h"

namespace {

using load::Arrival;
using load::Clients;
using load::Clock;
using load::Counts;
using load::Crowd;
using load::fail;
using load::Poll;
using load::Tally;
using load::View;
using load::WatchSettings;
namespace json = boost::json;

using namespace std::chrono_literals;

// Until all have rows; until all have the rows after the last submission.
constexpr auto kPatience = 120s;
constexpr auto kSettlePatience = 15s;
// Of submissions before something is measured.
constexpr auto kWarmUp = 1s;
constexpr std::size_t kMostSampledSubmissions = 10'000;
constexpr rlim_t kOtherFiles = 256;

double seconds_since(Clock::time_point began) {
    return std::chrono::duration<double>(Clock::now() - began).count();
}

double at_share(std::vector<float>& values, double share) {
    if (values.empty()) return 0;
    const auto at = values.begin() +
                    static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::ranges::nth_element(values, at);
    return *at;
}

json::object percentiles(std::vector<float> values) {
    return {{"p50_ms", at_share(values, 0.5)},
            {"p99_ms", at_share(values, 0.99)},
            {"max_ms", at_share(values, 1)}};
}

class Run {
  public:
    explicit Run(const WatchSettings& settings)
        : settings_(settings),
          traffic_(load::make_http_traffic(settings.clients)),
          crowd_(settings, poll_) {
        tally_.keeps_log = true;
        if (settings.clients.rate) clients_.emplace(settings.clients, *traffic_, tally_, poll_);
    }

    // Whether all streams were right.
    bool go(bool shows_rows) {
        const bool is_well =
            connect() && (!settings_.restart || come_back()) && measure() && settle();
        json::object said = results();
        if (shows_rows) said["rows"] = rows();
        say("done", said);
        return is_well;
    }

  private:
    // Until the condition holds, all is over, or a stream is wrong. Whether it held.
    bool turn_until(Clock::time_point end, const std::function<bool()>& condition) {
        while (!crowd_.is_broken() && !condition()) {
            const auto now = Clock::now();
            if (now >= end) return false;
            crowd_.connect_due(now);
            auto next = std::min(end, crowd_.next_due());
            if (clients_) {
                clients_->send_due(now);
                next = std::min(next, clients_->next_due());
            }
            poll_.run(next - now);
        }
        return !crowd_.is_broken();
    }

    bool connect() {
        const auto began = Clock::now();
        if (!turn_until(began + kPatience, [this] { return crowd_.all_have_rows(); })) {
            return report_end("not all watchers got rows");
        }
        say("watching", {{"watchers", settings_.watchers},
                         {"seconds", seconds_since(began)},
                         {"connect", percentiles(crowd_.connect_times())}});
        return true;
    }

    bool come_back() {
        if (!turn_until(Clock::now() + kPatience, [this] { return crowd_.are_all_back(); })) {
            return report_end("not all watchers were lost and came back");
        }
        const Counts& counts = crowd_.counts();
        const double storm = seconds_since(crowd_.first_back());
        say("back", {{"outage_seconds", seconds_since(crowd_.first_lost())},
                     {"storm_seconds", storm},
                     {"connect", percentiles(crowd_.connect_times())},
                     {"byes", counts.byes},
                     {"recovered", counts.recovered},
                     {"unrecovered", counts.unrecovered},
                     {"refused", counts.refused}});
        return true;
    }

    bool measure() {
        crowd_.add_deaf();
        const auto never = [] { return false; };
        if (clients_) {
            clients_->begin(Clock::now());
            turn_until(Clock::now() + kWarmUp, never);
        }
        say("measuring", {});
        const Counts before = crowd_.counts();
        const std::uint64_t cpu_before = cpu();
        const std::clock_t own_before = std::clock();
        const std::size_t submitted_before = tally_.log.size();
        tally_.latencies.clear();
        crowd_.begin_sampling();
        began_ = Clock::now();
        turn_until(began_ + std::chrono::duration_cast<Clock::duration>(
                                std::chrono::duration<double>(settings_.clients.seconds)),
                   never);
        seconds_ = seconds_since(began_);
        measured_ = crowd_.counts().since(before);
        cpu_ = cpu() - cpu_before;
        own_cpu_ = std::clock() - own_before;
        submitted_ = tally_.log.size() - submitted_before;
        return !crowd_.is_broken();
    }

    // All answers, and then all watchers at the last of them.
    bool settle() {
        if (!clients_) return true;
        const auto end = Clock::now() + kSettlePatience;
        clients_->stop();
        if (!turn_until(end, [this] { return !clients_->are_busy(); })) {
            return report_end("not all submissions were answered");
        }
        if (tally_.lost_connections > 0) fail("connections of submissions were lost");
        std::uint64_t last = 0;
        for (const auto& submission : tally_.log) last = std::max(last, seq_of(submission));
        if (!turn_until(end, [this, last] { return crowd_.all_have(last); })) {
            return report_end("not all watchers got as far as the last submission, " +
                              std::to_string(last));
        }
        return true;
    }

    bool report_end(const std::string& what) {
        // What was wrong has been said.
        if (!crowd_.is_broken()) {
            std::cerr << program_invocation_short_name << ": " << what << '\n';
        }
        return false;
    }

    // --- what is said ---------------------------------------------------------------------------

    // From the sending of a submission to the first message that holds it, at each sampled watcher.
    std::vector<float> screen_delays() const {
        std::vector<Arrival> submissions;
        for (const auto& submission : tally_.log) {
            if (submission.request.sent < began_) continue;
            submissions.push_back({seq_of(submission), submission.request.sent});
        }
        std::ranges::sort(submissions, {}, &Arrival::seq);
        const std::size_t step = submissions.size() / kMostSampledSubmissions + 1;
        std::vector<float> delays;
        for (const load::Watcher& watcher : crowd_.watchers()) {
            auto arrival = watcher.arrivals().begin();
            for (std::size_t i = 0; i < submissions.size(); i += step) {
                const auto end = watcher.arrivals().end();
                while (arrival != end && arrival->seq < submissions[i].seq) ++arrival;
                if (arrival == end) break;
                const std::chrono::duration<float, std::milli> delay =
                    arrival->at - submissions[i].at;
                delays.push_back(delay.count());
            }
        }
        return delays;
    }

    json::object results() {
        const Counts& all = crowd_.counts();
        std::uint64_t least_seq = UINT64_MAX;
        for (const load::Watcher& watcher : crowd_.watchers()) {
            least_seq = std::min(least_seq, watcher.rows() ? watcher.rows()->seq : 0);
        }
        json::object said{{"watchers", settings_.watchers},
                          {"seconds", seconds_},
                          {"messages", measured_.messages()},
                          {"snapshots", measured_.snapshots},
                          {"deltas", measured_.deltas},
                          {"beats", measured_.beats},
                          {"events", measured_.events},
                          {"bytes", measured_.bytes},
                          {"pings", measured_.pings},
                          {"gaps", all.gaps},
                          {"failures", all.failures},
                          {"cpu_seconds", static_cast<double>(cpu_) / 1e9},
                          {"own_cpu_seconds", static_cast<double>(own_cpu_) / CLOCKS_PER_SEC},
                          {"least_seq", crowd_.watchers().empty() ? 0 : least_seq}};
        if (clients_) {
            said["submissions"] = json::object{{"count", submitted_},
                                               {"p50_ms", tally_.milliseconds_at(0.5)},
                                               {"p99_ms", tally_.milliseconds_at(0.99)},
                                               {"max_ms", tally_.milliseconds_at(1)}};
            said["screen"] = percentiles(screen_delays());
        }
        if (settings_.deaf > 0) said["deaf"] = deaf();
        return said;
    }

    // How long the server kept those that it closed.
    json::object deaf() const {
        std::vector<double> kept;
        for (const load::DeafSocket& socket : crowd_.deaf()) {
            if (socket.seconds()) kept.push_back(*socket.seconds());
        }
        std::ranges::sort(kept);
        json::object said{{"sockets", crowd_.deaf().size()}, {"closed", kept.size()}};
        if (!kept.empty()) {
            said["first_seconds"] = kept.front();
            said["last_seconds"] = kept.back();
        }
        return said;
    }

    // Of each view, as the first of its watchers has them.
    json::object rows() const {
        json::object views;
        for (const load::Watcher& watcher : crowd_.watchers()) {
            const load::SharedRows& has = watcher.rows();
            if (!has || views.contains(has->view)) continue;
            json::array rows;
            for (const load::SharedRow& row : has->rows) rows.push_back(json::parse(row->json));
            views[has->view] = {{"seq", has->seq}, {"rows", std::move(rows)}};
        }
        return views;
    }

    void say(const char* event, const json::object& members) const {
        if (settings_.clients.json) {
            json::object said{{"event", event}};
            said.insert(members.begin(), members.end());
            std::cout << said << std::endl;
            return;
        }
        std::cout << event;
        for (const auto& member : members) {
            std::cout << "  " << member.key() << ' ' << member.value();
        }
        std::cout << std::endl;
    }

    static std::uint64_t seq_of(const load::Acknowledged& submission) {
        std::uint64_t seq = 0;
        std::from_chars(submission.seq.data(), submission.seq.data() + submission.seq.size(), seq);
        return seq;
    }

    std::uint64_t cpu() const {
        return settings_.clients.server_pid ? load::cpu_nanoseconds(*settings_.clients.server_pid)
                                            : 0;
    }

    const WatchSettings& settings_;
    const std::unique_ptr<load::Traffic> traffic_;
    Poll poll_;
    Crowd crowd_;
    Tally tally_;
    std::optional<Clients> clients_;

    Clock::time_point began_{};
    double seconds_ = 0;
    Counts measured_;
    std::uint64_t cpu_ = 0;  // of the server
    std::clock_t own_cpu_ = 0;
    std::size_t submitted_ = 0;
};

// "top:25", "around:5", "player".
View view_from(const std::string& word) {
    const std::size_t colon = word.find(':');
    const std::string kind = word.substr(0, colon);
    View view;
    if (colon != std::string::npos) {
        const char* const end = word.data() + word.size();
        const auto [at, error] = std::from_chars(word.data() + colon + 1, end, view.size);
        if (error != std::errc{} || at != end) fail("no view: " + word);
    }
    // Other sizes are rounded up by the server, and then called otherwise.
    const auto is_one_of = [&](std::initializer_list<std::uint64_t> sizes) {
        return std::ranges::find(sizes, view.size) != sizes.end();
    };
    if (kind == "top" && is_one_of({10, 25, 50, 100})) return view;
    view.kind = View::Kind::kAround;
    if (kind == "around" && is_one_of({3, 5, 10})) return view;
    view.kind = View::Kind::kPlayer;
    if (kind == "player" && colon == std::string::npos) return view;
    fail("no view: " + word);
}

// Descriptors for all, or an end that says how many there may be.
void raise_file_limit(const WatchSettings& settings) {
    const rlim_t needed =
        settings.watchers + settings.deaf + settings.clients.connections + kOtherFiles;
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur >= needed) return;
    const rlimit wanted{needed, std::max(needed, files.rlim_max)};
    if (::setrlimit(RLIMIT_NOFILE, &wanted) != 0) {
        fail(std::to_string(needed) + " descriptors are needed, the limit is " +
             std::to_string(files.rlim_max) + " (ulimit -n)");
    }
}

}  // namespace

int main(int argc, char** argv) {
    WatchSettings settings;
    load::Settings& clients = settings.clients;
    clients.connections = 16;
    clients.players = 12;
    std::vector<std::string> views;
    bool shows_rows = false;
    CLI::App app("Watches a board of a Standings server over many WebSockets and checks each.");
    app.add_option("--host", clients.host, "IPv4 address")->capture_default_str();
    app.add_option("--port", clients.port)->capture_default_str();
    app.add_option("--board", clients.board)->capture_default_str();
    app.add_option("--watchers", settings.watchers)
        ->capture_default_str()
        ->check(CLI::Range(0, 60000));
    app.add_option("--view", views,
                   "top:10, top:25, around:5 or player; of several each watcher takes the next")
        ->delimiter(',');
    app.add_option("--rate", settings.rate, "frames a second that each asks for")
        ->capture_default_str()
        ->check(CLI::IsMember({1, 2, 5, 10, 20}));
    app.add_option("--seconds", clients.seconds, "how long to measure")->capture_default_str();
    app.add_option("--players", clients.players, "who submits, and is watched")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--prefix", clients.prefix, "of each player's id, before seven digits")
        ->capture_default_str();
    CLI::Option* const submissions =
        app.add_option("--submissions", clients.rate, "a second; none otherwise, all are idle")
            ->check(CLI::PositiveNumber);
    app.add_option("--score-from", clients.score_from, "where random scores begin")
        ->capture_default_str();
    app.add_option("--connections", clients.connections, "that submit")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
    app.add_option("--key", clients.key, "credential to submit");
    app.add_option("--deaf", settings.deaf, "sockets more, which watch and never read")
        ->check(CLI::Range(0, 10000));
    app.add_flag("--restart", settings.restart,
                 "the server will go away and come back, and so do the watchers; measures then")
        ->excludes(submissions);
    app.add_option("--server-pid", clients.server_pid, "measure this process's CPU time");
    app.add_option("--seed", clients.seed)->capture_default_str();
    app.add_flag("--show-rows", shows_rows, "what the watchers of each view have at the end");
    app.add_flag("--json", clients.json, "one JSON object a line");
    CLI11_PARSE(app, argc, argv);
    if (!views.empty()) {
        settings.views.clear();
        for (const std::string& word : views) settings.views.push_back(view_from(word));
    }
    raise_file_limit(settings);
    return Run(settings).go(shows_rows) ? 0 : 1;
}
