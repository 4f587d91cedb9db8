// Charts as plain components: figures in, what was activated out.
export { BeforeAfter, type ChangeRow } from "./BeforeAfter";
export { type Bin, Histogram, type Mark } from "./Histogram";
export { type IntervalRow, Intervals } from "./Intervals";
export { type Curve, type CurvePoint, RewardCurves } from "./RewardCurves";
export { TopicBars, type TopicRow } from "./TopicBars";
export { share } from "./words";
