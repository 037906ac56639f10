package http2

// Frames and settings of HTTP/2 (RFC 9113).
const (
	frameData         = 0
	frameHeaders      = 1
	framePriority     = 2
	frameReset        = 3
	frameSettings     = 4
	framePush         = 5
	framePing         = 6
	frameGoAway       = 7
	frameWindow       = 8
	frameContinuation = 9

	flagAck        = 0x1
	flagEndStream  = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20

	settingTableSize     = 1
	settingPush          = 2
	settingMaxStreams    = 3
	settingInitialWindow = 4
	settingmaxFrame      = 5
	settingMaxHeaders    = 6

	codeProtocol    = 1
	codeFlowControl = 3
	codeRefused     = 7
	codeCancel      = 8
	codeCompression = 9
	codeCalm        = 11

	frameHead     = 9
	maxFrame      = 1 << 14
	maxWindow     = 1<<31 - 1
	defaultWindow = 1<<16 - 1

	// manyStreams stands for a peer that sets no limit.
	manyStreams = 1 << 20
	// lastStream is the id after which a connection is given up.
	lastStream = 1<<31 - 1
	// maxQueued bounds the answers to a peer's pings and settings that wait to be
	// written.
	maxQueued = 1 << 20
	// maxEmpty bounds the frames in a row that bring no turn further.
	maxEmpty = 1 << 16
	// maxSettings bounds the settings of one frame: there are six.
	maxSettings = 32
)
