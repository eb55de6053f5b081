#!/usr/bin/env bash
# Runs that were stopped, killed or edited: resume, rollback and abandon with the real binary, on files and
# loopback only. $DOSRUN names the binary. Prints "ok NAME" or "FAIL NAME" and ends with "N passed, N failed".
set -u
here=$(cd "$(dirname "$0")" && pwd)
dosrun=$(realpath "${DOSRUN:-$here/../../build/dev/dosrun}")
work=$(mktemp -d /tmp/dosrun-resume-XXXXXX)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 name=""
unset DOSRUN_TARGET DOSRUN_SANDBOX
export DOSRUN_STATE="$work/state" NO_COLOR=1

# begin NAME: a project of its own, with empty state.
begin() {
  name=$1 ok=1
  rm -rf "$work/state" "$work/p"
  mkdir -p "$work/p/playbooks" "$work/p/out"
  cd "$work/p" || exit 1
}
finish() {
  if [ $ok = 1 ]; then passed=$((passed + 1)); echo "ok $name"; else failed=$((failed + 1)); echo "FAIL $name"; fi
}
bad() { ok=0; echo "  $name: $*"; [ -f "$work/err" ] && sed 's/^/    /' "$work/err" | tail -15; }
# exits CODE ARGS...: dosrun ends with it.
exits() {
  local want=$1 got
  shift
  "$dosrun" "$@" >"$work/out" 2>"$work/err"
  got=$?
  [ $got = "$want" ] || bad "dosrun $* ended with $got, not $want"
}
says() { cat "$work/out" "$work/err" | grep -qF -- "$1" || bad "nothing says: $1"; }
holds() { [ "$(cat "$1" 2>/dev/null)" = "$2" ] || bad "$1 holds \"$(cat "$1" 2>/dev/null)\", not \"$2\""; }
gone() { [ ! -e "$1" ] || bad "$1 is there"; }
run_id() { basename "$(echo "$work"/state/targets/*/runs/"r$1"-*.jsonl)" .jsonl; }
await() { for _ in $(seq 1 500); do [ -e "$1" ] && return; sleep 0.01; done; bad "$1 never came"; }

# Three steps on files; the second fails while out/fail is there.
failing() {
  cat >playbooks/p.lua <<'LUA'
local dosrun = require "dosrun.v1"
local word = require "word"
local p = dosrun.playbook { "p", on_failure = "stop" }
local note = dosrun.verb { "note", key = function(i) return "note " .. i.path end,
  look = function(i) local now = dosrun.file.read(i.path) return now end, want = function(i) return i.text end,
  act = function(i) dosrun.process.run { "sh", "-c", "printf %s \"$1\" >\"$2\"", "sh", i.text, i.path } end,
  undo = function(i, before)
    if before then dosrun.process.run { "sh", "-c", "printf %s \"$1\" >\"$2\"", "sh", before, i.path }
    else dosrun.process.run { "rm", "-f", i.path } end
  end }
p:step("one", function() dosrun.file.write("out/one", word.one) note { path = "out/note", text = word.one } return { text = word.one } end)
p:step("two", function(run, from)
  dosrun.file.write("out/two", from.one.text .. " then " .. word.two)
  if dosrun.file.read("out/fail") then error("it fails") end
end)
p:step("three", { needs = { "two" } }, function() dosrun.file.write("out/one", word.three) end)
return p
LUA
  mkdir -p lib
  echo 'return { one = "1", two = "2", three = "3" }' >lib/word.lua
  printf old >out/one
  touch out/fail
}

begin "a stopped run goes on where it stopped"
failing
exits 3 playbooks/p.lua
says "dosrun resume" && says "dosrun rollback"
rm out/fail
exits 0 resume
holds out/one 3; holds out/two "1 then 2"; holds out/note 1
exits 64 resume
exits 64 resume "$(run_id 1)"
says "nothing to go on with"
finish

begin "a finished run is rolled back, also after a resume"
failing
exits 3 playbooks/p.lua
rm out/fail
exits 0 resume
exits 0 rollback
holds out/one old; gone out/two; gone out/note
exits 0 rollback
finish

begin "resume takes the bundle when files were edited or removed"
failing
exits 3 playbooks/p.lua
rm out/fail lib/word.lua
echo 'error("edited")' >playbooks/p.lua
exits 0 resume
says "changed or removed"
holds out/one 3; holds out/two "1 then 2"
finish

begin "rollback takes the bundle when the project was emptied"
failing
exits 3 playbooks/p.lua
rm -rf lib playbooks/p.lua
exits 0 rollback
holds out/one old; gone out/two; gone out/note
finish

begin "--edited takes today's files, and a rollback goes to the true beginning"
failing
exits 3 playbooks/p.lua
rm out/fail
echo 'return { one = "one", two = "zwei", three = "drei" }' >lib/word.lua
exits 0 resume --edited
says "today's is taken"
holds out/one drei; holds out/two "1 then zwei"; holds out/note 1
exits 0 rollback
holds out/one old; gone out/two; gone out/note
finish

begin "what --edited read is in the bundle of the next resume"
failing
exits 3 playbooks/p.lua
echo 'return { one = "one", two = "zwei", three = "drei" }' >lib/word.lua
exits 3 resume --edited
rm out/fail
echo 'error("worse")' >lib/word.lua
exits 0 resume
holds out/one drei; holds out/two "1 then zwei"
finish

begin "a broken edit stops and the old copy still rolls back"
failing
exits 3 playbooks/p.lua
echo 'this is no Lua' >playbooks/p.lua
exits 3 resume --edited
exits 0 rollback
holds out/one old; gone out/two
finish

begin "an unfinished run blocks a new one, with three commands"
failing
exits 3 playbooks/p.lua
exits 5 playbooks/p.lua
says "dosrun resume r1-" && says "dosrun rollback r1-" && says "dosrun abandon r1-"
exits 64 abandon "$(run_id 1)"
exits 0 abandon "$(run_id 1)" --yes
holds out/two "1 then 2"
exits 64 rollback "$(run_id 1)"
says "was abandoned"
rm out/fail
exits 0 playbooks/p.lua
finish

begin "what others changed since is left and listed"
failing
exits 3 playbooks/p.lua
printf theirs >out/two
exits 4 rollback --plan
exits 4 rollback
says "out/two"
holds out/two theirs; holds out/one old
printf "1 then 2" >out/two
exits 0 rollback
gone out/two
finish

begin "a savepoint stays, unless the rollback is asked for"
cat >playbooks/p.lua <<'LUA'
local dosrun = require "dosrun.v1"
local p = dosrun.playbook { "p" }
p:step("kept", { keep = true }, function() dosrun.file.write("out/kept", "k") end)
p:step("two", function() dosrun.file.write("out/two", "2") error("it fails") end)
return p
LUA
exits 1 playbooks/p.lua
holds out/kept k; gone out/two
exits 0 rollback
gone out/kept
finish

begin "past a pivot a run goes on or stays: no rollback"
cat >playbooks/p.lua <<'LUA'
local dosrun = require "dosrun.v1"
local p = dosrun.playbook { "p", pivots = true, on_failure = "stop" }
local drop = dosrun.verb { "drop", class = "pivot", key = function(i) return "data " .. i.path end,
  look = function(i) return dosrun.file.read(i.path) end, want = function() return nil end,
  act = function(i) dosrun.process.run { "rm", "-f", i.path } end }
p:step("one", function() dosrun.file.write("out/one", "1") drop { path = "out/data" } end)
p:step("two", function() if dosrun.file.read("out/fail") then error("it fails") end end)
return p
LUA
echo data >out/data
echo x >out/fail
exits 3 playbooks/p.lua --yes
gone out/data
exits 64 rollback --plan
says "R209"
exits 64 rollback
says "R209" && says "dosrun resume r1-" && says "dosrun abandon r1-"
holds out/one 1
rm out/fail
exits 0 resume
exits 64 rollback
says "R209" && says "dosrun show r1-"
holds out/one 1
finish

# A step that waits in the real world: it reads a fifo that nobody writes.
waiting() {
  mkfifo out/fifo
  cat >playbooks/p.lua <<'LUA'
local dosrun = require "dosrun.v1"
local p = dosrun.playbook { "p" }
p:step("one", function() dosrun.file.write("out/one", "1") end)
p:step("two", function() dosrun.process.run({ "cat", "out/fifo" }, { reads = true }) end)
p:step("three", function() dosrun.file.write("out/three", "3") end)
return p
LUA
}
start() { "$dosrun" "$@" >"$work/bg.out" 2>"$work/bg.err" & pid=$!; }
ended() { local got; wait $pid; got=$?; cp "$work/bg.err" "$work/err"; cp "$work/bg.out" "$work/out"; [ $got = "$1" ] || bad "it ended with $got, not $1"; }

begin "Ctrl-C once stops, names both commands, undoes nothing"
waiting
start playbooks/p.lua
await out/one
sleep 0.1
kill -INT $pid
ended 130
says "dosrun resume" && says "dosrun rollback"
holds out/one 1
rm out/fifo; echo go >out/fifo
exits 0 resume
holds out/three 3
finish

begin "SIGTERM does the same"
waiting
start playbooks/p.lua
await out/one
sleep 0.1
kill -TERM $pid
ended 130
exits 0 rollback
gone out/one
finish

# An act that does not end by itself is awaited after the first Ctrl-C and left after the second.
begin "Ctrl-C twice ends at once"
cat >playbooks/p.lua <<'LUA'
local dosrun = require "dosrun.v1"
local p = dosrun.playbook { "p" }
local hold = dosrun.verb { "hold", key = function() return "hold" end, look = function() return dosrun.file.read("out/held") end,
  want = function() return "x" end, bound = "100ms",
  act = function() dosrun.file.list("out") dosrun.process.run { "sh", "-c", "touch out/began; cat out/fifo" } end,
  undo = function() dosrun.process.run { "rm", "-f", "out/held" } end }
p:step("one", function() dosrun.file.write("out/one", "1") hold {} end)
return p
LUA
mkfifo out/fifo
start playbooks/p.lua
await out/began
kill -INT $pid
sleep 0.3
kill -0 $pid 2>/dev/null || bad "the first Ctrl-C did not wait for what is in flight"
kill -INT $pid
ended 130
exits 5 playbooks/p.lua
exits 0 rollback
gone out/one
finish

begin "Ctrl-C during a rollback stops it, and it goes on"
cat >playbooks/p.lua <<'LUA'
local dosrun = require "dosrun.v1"
local p = dosrun.playbook { "p" }
local slow = dosrun.verb { "slow", key = function() return "slow" end, look = function() return dosrun.file.read("out/slow") end,
  want = function() return "x" end, bound = "100ms",
  act = function() dosrun.process.run { "sh", "-c", "printf x >out/slow" } end,
  undo = function() dosrun.process.run { "sh", "-c", "touch out/undoing; cat out/fifo; rm -f out/slow" } end }
p:step("one", function() dosrun.file.write("out/one", "1") end)
p:step("two", function() slow {} end)
return p
LUA
exits 0 playbooks/p.lua
mkfifo out/fifo
start rollback
await out/undoing
kill -INT $pid
sleep 0.2
echo go >out/fifo
ended 130
says "dosrun rollback"
holds out/one 1
exits 5 playbooks/p.lua
rm out/fifo; echo >out/fifo
exits 0 resume
gone out/one; gone out/slow
finish

begin "two runs on one target: the second is told who holds it, or waits"
waiting
start playbooks/p.lua
await out/one
exits 5 playbooks/p.lua
says "process $pid"
(sleep 0.5; echo go >out/fifo) &
"$dosrun" --lock-wait 20s playbooks/p.lua >"$work/out2" 2>"$work/err2" &
second=$!
ended 0
echo go >out/fifo
wait $second
code=$?
[ $code = 0 ] || { cp "$work/err2" "$work/err"; bad "the one that waited ended with $code"; }
finish

begin "a damaged journal is shown as far as it goes, blocks, and is put aside"
failing
exits 3 playbooks/p.lua
journal=$(echo "$work"/state/targets/*/runs/r1-*.jsonl)
sed -i '6s/"step"/"stXp"/' "$journal"
exits 70 show "$(run_id 1)"
says "journal line 6 is damaged" && says "one"
exits 70 resume "$(run_id 1)"
exits 70 rollback "$(run_id 1)"
exits 5 playbooks/p.lua
says "cannot be told"
exits 0 abandon "$(run_id 1)" --yes
says "put aside"
exits 1 playbooks/p.lua
finish

begin "a journal of a newer format is left alone"
failing
exits 3 playbooks/p.lua
journal=$(echo "$work"/state/targets/*/runs/r1-*.jsonl)
sed -i '1s/"format":1/"format":2/' "$journal"
cp "$journal" "$work/kept"
exits 70 resume "$(run_id 1)"
says "has format 2"
exits 70 abandon "$(run_id 1)" --yes
cmp -s "$journal" "$work/kept" || bad "the journal was touched"
finish

# A disk that ends: files may not grow beyond that many KiB, and writing more is an error (EFBIG), no signal.
limited() {
  local kib=$1
  shift
  (trap "" XFSZ; ulimit -f "$kib"; exec "$dosrun" "$@") >"$work/out" 2>"$work/err"
  echo $?
}
filling() {
  cat >playbooks/p.lua <<'LUA'
local dosrun = require "dosrun.v1"
local p = dosrun.playbook { "p" }
local text = ("0123456789abcdef"):rep(8 * 1024)
p:step("fill", function() for i = 1, 12 do dosrun.file.write("out/" .. i, text .. i) end end)
return p
LUA
}

begin "a full disk stops the run, names both commands, and both work"
filling
code=$(limited 2000 playbooks/p.lua)
[ "$code" = 3 ] || bad "it ended with $code, not 3"
says "dosrun resume r1-" && says "dosrun rollback r1-" && says "journal"
[ -e out/1 ] || bad "it never began"
gone out/12
exits 5 playbooks/p.lua
exits 0 resume
[ -e out/12 ] || bad "the resume did not end"
exits 0 rollback
gone out/1; gone out/12
finish

begin "a full disk before anything was touched is an ordinary failure"
filling
code=$(limited 100 playbooks/p.lua)
[ "$code" = 1 ] || bad "it ended with $code, not 1"
gone out/1
exits 0 playbooks/p.lua
finish

begin "nobody is told done before the end is on disk"
ends=0
for pad in $(seq 0 40 1200); do
  rm -rf "$work/state" out/one
  cat >playbooks/p.lua <<LUA
local dosrun = require "dosrun.v1"
local p = dosrun.playbook { "p", summary = "$(printf "%${pad}s" '')" }
p:step("one", function() dosrun.file.write("out/one", "1") end)
return p
LUA
  code=$(limited 3 playbooks/p.lua)
  last=$(tail -n 1 "$work"/state/targets/*/runs/r1-*.jsonl)
  case $code in
  0) [[ $last == *'"type":"run.end"'*'"exit":0'* ]] || bad "pad $pad: done, and the journal ends in: $last" ;;
  1 | 3) [[ $last != *'"type":"run.end"'* ]] || bad "pad $pad: $code, and the journal says: $last" ;;
  *) bad "pad $pad: it ended with $code" ;;
  esac
  if [ "$code" = 3 ] && grep -qF "[one] 1 change" "$work/err"; then
    ends=$((ends + 1))
    says "dosrun resume r1-"
    exits 0 resume
  fi
done
[ $ends -gt 0 ] || bad "no limit fell into the end of the run"
finish

begin "how long it will take is said from the fourth run on"
cat >playbooks/p.lua <<'LUA'
local dosrun = require "dosrun.v1"
local p = dosrun.playbook { "p", summary = "Two steps.", args = { { "word" } } }
p:step("one", function() return 1 end)
p:step("two", function() return 2 end)
return p
LUA
for n in 1 2 3; do
  exits 0 playbooks/p.lua same --output jsonl
  grep -qF '"type":"estimate"' "$work/out" && bad "run $n has an estimate"
done
exits 0 playbooks/p.lua same --output jsonl
says '"type":"estimate"'
exits 0 playbooks/p.lua other --output jsonl
grep -qF '"type":"estimate"' "$work/out" && bad "a run with other arguments has an estimate"
finish

begin "kill -9 at a hundred points: resume and rollback end where they should"
if python3 "$here/resume_points.py" "$dosrun" "$work/points" 100 >"$work/err" 2>&1; then tail -1 "$work/err" | sed 's/^/  /'; else bad "points"; fi
finish

echo "$passed passed, $failed failed"
[ $failed = 0 ]
