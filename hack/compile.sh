# Copyright 2026 The lambdatest-operator Authors
# SPDX-License-Identifier: Apache-2.0
#
# Functions that build programs from a pinned Go module into a folder of bin/; hack/*/build.sh source this file. If nothing changed,
# compile_into ends the script at once. After an interruption, the next run continues with Go's build cache.
#
#   compile_into <module> <folder> <what>    begin; ends the script if go.mod and go.sum have not changed since the last build
#   compile <name> <package> <ldflags>       build one program
#   compiled                                 mark the folder as complete

# compile_into changes to the folder of the module, and sets $scratch to a folder for unfinished files.
compile_into() {
	local module=$1 folder=$2 what=$3
	compile_folder=$folder
	compile_fingerprint=$(cat "$module/go.mod" "$module/go.sum" | cksum)
	is_compiled && exit
	mkdir -p "$folder"

	# Wait for another build of the same folder: two builds at once would only be slower. Without flock,
	# as on macOS, they do no harm, because files are renamed into place.
	if command -v flock >/dev/null; then
		exec 9>"$folder/.lock"
		flock --nonblock 9 || { echo "another build of $what is running; waiting for it"; flock 9; }
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

# compile renames the binary to its name only when it is complete.
compile() {
	local name=$1 package=$2 ldflags=$3
	echo "==> $(elapsed)  $name"
	: >"$scratch/log"
	if ! go build -v -trimpath -ldflags "-s -w $ldflags" -o "$scratch/$name" "$package" 2>&1 | progress "$name"; then
		tail -n 40 "$scratch/log" >&2
		echo "building $name stopped; run the script again to continue" >&2
		exit 1
	fi
	mv "$scratch/$name" "$compile_folder/$name"
}

# progress reads the output of go build -v, one package per line, writes it to the log, and prints the number of packages every
# 20 seconds, so that a long compilation does not look like a hang.
progress() {
	local name=$1 count=0 due=$((SECONDS + 20)) line status
	while true; do
		status=0
		IFS= read -r -t 5 line || status=$?
		if ((status == 0)); then
			echo "$line" >>"$scratch/log"
			count=$((count + 1))
		elif ((status <= 128)); then # above 128: timeout of read; below: end of input
			return
		fi
		if ((SECONDS >= due)); then
			echo "    $(elapsed)  $name: $count packages compiled"
			due=$((SECONDS + 20))
		fi
	done
}

elapsed() { printf '%dm%02ds' $((SECONDS / 60)) $((SECONDS % 60)); }
