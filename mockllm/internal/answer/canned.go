package answer

// cannedAnswers are the answers when no script matches: the first whose word
// stands in the question, the last when none does.
func cannedAnswers() []canned {
	return []canned{
		{[]string{"优惠券", "满减", "红包", "coupon"}, newAnswer("您好,优惠券可以在结算页的“优惠”一栏勾选使用,满足门槛金额后会自动抵扣;每笔订单限用一张满减券,请留意券面上的有效期。")},
		{[]string{"退货", "退款", "退换", "return", "refund"}, newAnswer("您好,签收后七天内可以申请无理由退货:请在“我的订单”里选择该订单,点击“申请售后”,寄回商品并填写运单号,仓库验收后一到三个工作日原路退款。")},
		{[]string{"发货", "物流", "快递", "到货", "shipping"}, newAnswer("您好,现货订单付款后四十八小时内发货,大促期间可能顺延一天;发货后您可以在订单详情页查看物流进度。")},
		{[]string{"会员", "积分", "等级"}, newAnswer("您好,会员等级按近十二个月的成长值计算,分为普通、银卡、金卡和黑卡四级,等级越高折扣和包邮权益越多,可在“会员中心”查看。")},
		{[]string{"发票", "invoice"}, newAnswer("您好,订单完成后可以在订单详情页点击“申请发票”,填写抬头和税号,电子发票会在二十四小时内发送到您预留的邮箱。")},
		{[]string{"地址", "收货人"}, newAnswer("您好,订单未发货前可以在订单详情页点击“修改地址”;如果已经发货,请联系快递员改派,或者拒收后重新下单。")},
		{[]string{"价格", "保价", "降价", "便宜"}, newAnswer("您好,我们支持签收后七天内价格保护:如果同款商品降价,请在“我的订单”里点击“申请价保”,差额会原路退回。")},
		{[]string{"支付", "付款", "扣款"}, newAnswer("您好,如果支付失败,请确认银行卡限额和余额后重试;重复扣款的金额会在一到三个工作日内自动退回原支付账户。")},
		{[]string{"质量", "坏了", "破损", "瑕疵"}, newAnswer("您好,非常抱歉给您带来不便。请拍下商品问题处的照片,在“申请售后”里选择“质量问题”上传,我们会优先为您办理换货或退款,运费由我们承担。")},
		{[]string{"投诉", "人工", "客服"}, newAnswer("您好,非常理解您的心情。我已经记录您反馈的问题,会有专员在两小时内与您联系;您也可以随时补充订单号和照片。")},
		{[]string{"尺码", "大小", "颜色", "库存"}, newAnswer("您好,商品页的“规格”里可以查看尺码表和实时库存;拿不准尺码时,建议参考身高体重推荐表,并选择平时穿的大一码。")},
		{nil, newAnswer("您好,很高兴为您服务。请告诉我您的订单号或者具体的问题,我会尽快帮您查询处理。")},
	}
}

// canned is a stock answer and the words of the questions it answers.
type canned struct {
	words []string
	Answer
}
