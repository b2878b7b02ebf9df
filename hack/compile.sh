# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# How programs are built from a pinned Go module into a folder of bin/: sourced by hack/*/build.sh. Done once: when nothing
# changed compile_into ends the script at once, and after an interruption it goes on from Go's build cache.
#
#   compile_into <module> <folder> <what>    begin, or end the script when go.mod and go.sum are those of the last time
#   compile <name> <package> <ldflags>       one program
#   compiled                                 the folder is complete

# compile_into leaves the working directory in the module, and a folder for unfinished files in $scratch.
compile_into() {
	local module=$1 folder=$2 what=$3
	compile_folder=$folder
	compile_fingerprint=$(cat "$module/go.mod" "$module/go.sum" | cksum)
	is_compiled && exit
	mkdir -p "$folder"

	# Two builds at once (two terminals, two jobs) would only slow each other down. Without flock,
	# as on macOS, they still do no harm: files are renamed into place.
	if command -v flock >/dev/null; then
		exec 9>"$folder/.lock"
		flock --nonblock 9 || { echo "another build of $what is running, waiting for it"; flock 9; }
		is_compiled && exit
	fi

	cd "$module"
	export CGO_ENABLED=0 GOWORK=off
	scratch=$(mktemp -d "$folder/.building.XXXXXX")
	trap 'rm -rf "$scratch"' EXIT
}

is_compiled() { [[ -f "$compile_folder/.built-from" && "$(cat "$compile_folder/.built-from")" == "$compile_fingerprint" ]]; }

compiled() {
	echo "$compile_fingerprint" >"$compile_folder/.built-from"
	echo "==> $(elapsed)  done"
}

# compile: the binary appears under its name only when it is complete.
compile() {
	local name=$1 package=$2 ldflags=$3
	echo "==> $(elapsed)  $name"
	: >"$scratch/log"
	if ! go build -v -trimpath -ldflags "-s -w $ldflags" -o "$scratch/$name" "$package" 2>&1 | progress "$name"; then
		tail -n 40 "$scratch/log" >&2
		echo "building $name stopped; run it again to go on from here" >&2
		exit 1
	fi
	mv "$scratch/$name" "$compile_folder/$name"
}

# progress reads what go build -v prints, a package a line, keeps it in the log and says every 20 seconds how far
# the build is, so that a long compilation does not look like a hang.
progress() {
	local name=$1 count=0 due=$((SECONDS + 20)) line status
	while true; do
		status=0
		IFS= read -r -t 5 line || status=$?
		if ((status == 0)); then
			echo "$line" >>"$scratch/log"
			count=$((count + 1))
		elif ((status <= 128)); then # more than 128 is the timeout, less the end
			return
		fi
		if ((SECONDS >= due)); then
			echo "    $(elapsed)  $name: $count packages compiled"
			due=$((SECONDS + 20))
		fi
	done
}

elapsed() { printf '%dm%02ds' $((SECONDS / 60)) $((SECONDS % 60)); }
